"""How fast prompts are scored: the prefix tree, plain batches, lm-evaluation-harness, and what the machine allows.

    python benchmarks/scoring.py --lm-eval PYTHON     (a Python in which lm_eval is installed; left out without it)

Real ChaosNLI items (JUDGEHARNESS_DATA_DIR) and SmolLM2-135M-Instruct, all ways in turns in one run, so that ratios hold
where seconds do not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from scipy.special import softmax

from judgeharness import pipeline
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.tree import TreeScorer, sizes_for
from judgeharness.components import component, task_definition
from judgeharness.domain import FloatArray
from judgeharness.executors.local import Local
from judgeharness.options import NoOptions
from judgeharness.prefixes import count_tokens
from judgeharness.registry import Registry
from judgeharness.store.database import Store
from judgeharness.tasks.datasets import DataFolders, cache_folder
from judgeharness.tasks.fetch import Meter, silent
from judgeharness.tasks.task import Task, load_task
from judgeharness.work import plan

ITEMS = {"parallel-explicit": 4, "serial-explicit": 1}
ROUNDS = 3
LM_EVAL_BATCH = 16
GEMM_SIZE = 2048
LM_EVAL_SCRIPT = Path(__file__).with_name("scoring_lm_eval.py")


@dataclass
class Timed:
    """seconds: the best of the rounds. logits: of the letters after all prompts, whatever constant is added to them."""

    seconds: float
    logits: FloatArray


def best(rounds: int, action: Callable[[], Any]) -> tuple[float, Any]:
    """The least wall time of some rounds, and what the last gave."""
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - begun)
    return min(times), result


def square_rate() -> float:
    """Multiply-adds a second, times two, of a square fp32 matrix product."""
    a, b = torch.randn(GEMM_SIZE, GEMM_SIZE), torch.randn(GEMM_SIZE, GEMM_SIZE)
    return 2 * GEMM_SIZE**3 / best(12, lambda: a @ b)[0]


def linear_layers(model: Any) -> list[torch.nn.Linear]:
    """The model's linear layers but for its head."""
    head = model.get_output_embeddings()
    return [each for each in model.modules() if isinstance(each, torch.nn.Linear) and each is not head]


def own_products_seconds(model: Any, rows: int) -> float:
    """Seconds a token that the model's own matrix products alone take, its real weights in their order."""
    layers = linear_layers(model)
    inputs = {layer.in_features: torch.randn(rows, layer.in_features) for layer in layers}

    def products() -> None:
        with torch.inference_mode():
            for layer in layers:
                torch.nn.functional.linear(inputs[layer.in_features], layer.weight)

    return best(4, products)[0] / rows


@contextmanager
def peak_memory(before: int) -> Iterator[Callable[[], int]]:
    """Watches how much the process grows over `before` bytes; gives a function that tells the most."""
    process, most, done = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            most[0] = max(most[0], process.memory_info().rss - before)

    thread = threading.Thread(target=watch)
    thread.start()
    yield lambda: most[0]
    done.set()
    thread.join()


def profile(action: Callable[[], Any], most: int = 10) -> Iterator[str]:
    """Where the time goes, by operation, as lines."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as watched:
        action()
    events = sorted(watched.key_averages(), key=lambda event: -event.self_cpu_time_total)
    total = sum(event.self_cpu_time_total for event in events)
    for event in events[:most]:
        yield f"{event.self_cpu_time_total / total:6.1%}  {event.key.removeprefix('aten::')}"


def lm_eval(python: str, backend: HuggingFaceBackend, texts: Sequence[str], letters: str) -> Timed:
    """The same prompts through lm-evaluation-harness, in an environment of its own."""
    request = {
        "model": str(backend._weights_folder()),
        "tokenizer": backend._tokenizer.name_or_path,
        "texts": list(texts),
        "letters": letters,
        "batch_size": LM_EVAL_BATCH,
    }
    with tempfile.TemporaryDirectory() as work:
        given, made = Path(work) / "request.json", Path(work) / "result.json"
        given.write_text(json.dumps(request))
        subprocess.run([python, str(LM_EVAL_SCRIPT), str(given), str(made)], check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        result = json.loads(made.read_text())
    return Timed(result["seconds"], np.array(result["logprobs"]))


def overhead(backend: HuggingFaceBackend, task: Task, strategy: Any) -> float:
    """The share of a run that is not spent in the model: rendering, tokenising, storing, and Python in between."""
    inside = [0.0]
    scorer = backend._scorer
    original = scorer.score

    def timed(*arguments: Any) -> Any:
        begun = time.perf_counter()
        result = original(*arguments)
        inside[0] += time.perf_counter() - begun
        return result

    scorer.score = timed
    with tempfile.TemporaryDirectory() as work, Store.open(Path(work) / "s.db") as store:
        store.runs.start_session("s", {})
        store.answers.add_backend("b", {})
        work_to_do = plan(task, strategy, backend, "b", store.answers)
        begun = time.perf_counter()
        pipeline.ask(
            work_to_do, backend, Local(NoOptions()), pipeline.Place(store.answers, "b", "s"), lambda prompts: None
        )
        whole = time.perf_counter() - begun
    scorer.score = original
    return 1 - inside[0] / whole


def main() -> None:
    """Run everything and print a table."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lm-eval", metavar="PYTHON", help="the Python of an environment with lm_eval")
    arguments.add_argument("--profile", action="store_true", help="say where the prefix tree's time goes")
    given = arguments.parse_args()

    registry = Registry.from_environment()
    backend = HuggingFaceBackend("smollm2", HuggingFaceOptions(), BackendContext(cache_folder(), print))
    letters = [backend.describe()["letters"][letter] for letter in "ABC"]
    loading, _ = best(1, backend.open)
    model = backend._model
    loaded = psutil.Process().memory_info().rss
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}; loading from the cache took {loading:.1f} s")

    flops = 2 * sum(layer.weight.numel() for layer in linear_layers(model))
    sizes = sizes_for(model, None)
    tree, plain = TreeScorer(model, sizes), PlainScorer(model)
    whole = load_task(task_definition(registry, "chaosnli"), DataFolders.from_environment(), _quiet)
    for name, n_items in ITEMS.items():
        task = whole.limited(n_items)
        strategy = component(registry.strategies, name, {}).part
        groups = [strategy.group(item, task) for item in task.items]
        tokens = [backend.encode(group) for group in groups]
        texts = [backend._chat.render(prompt.messages) for group in groups for prompt in group.prompts]
        unique = sum(count_tokens(each).unique for each in tokens)
        with peak_memory(loaded) as most:
            tree.score(tokens, letters)
            grown = most()
        square = square_rate() / flops
        own = 1 / own_products_seconds(model, sizes.chunk)
        seconds, scored = best(ROUNDS, lambda each=tokens: tree.score(each, letters))
        ways = {"prefix tree": Timed(seconds, np.concatenate([each.logits for each in scored]))}
        square = max(square, square_rate() / flops)
        seconds, scored = best(1, lambda each=tokens: plain.score(each, letters))
        ways["plain batches"] = Timed(seconds, np.concatenate([each.logits for each in scored]))
        if given.lm_eval:
            ways["lm-evaluation-harness"] = lm_eval(given.lm_eval, backend, texts, "ABC")

        print(f"\n{name}: {n_items} items, {len(texts)} prompts, {unique:,} unique tokens")
        reference = softmax(ways["plain batches"].logits, axis=1)
        for way, timed in ways.items():
            difference = np.abs(softmax(timed.logits, axis=1) - reference).max()
            print(
                f"  {way:22} {timed.seconds:8.2f} s  {unique / timed.seconds:7.0f} unique tokens/s  "
                f"{timed.seconds / ways['prefix tree'].seconds:5.1f}x  differs by {difference:.1e}"
            )
        rate = unique / ways["prefix tree"].seconds
        print(f"  of {square:,.0f}/s, square {GEMM_SIZE} fp32 products: {rate / square:.0%}")
        print(f"  of {own:,.0f}/s, the model's own matrix products alone: {rate / own:.0%}")
        print(f"  the process is at most {grown / 1e6:,.0f} MB larger than after loading")
        print(f"  outside the model: {overhead(backend, task, strategy):.1%} of a run")
        if given.profile:
            for line in profile(lambda each=tokens: tree.score(each, letters)):
                print(f"    {line}")


@contextmanager
def _quiet(what: str) -> Iterator[Meter]:
    yield silent


if __name__ == "__main__":
    main()
