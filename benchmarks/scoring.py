"""How fast prompts are scored: the prefix tree, plain batches, lm-evaluation-harness, and what the machine allows.

    python benchmarks/scoring.py --lm-eval PYTHON     (a Python in which lm_eval is installed; left out without it)

Real ChaosNLI items (JUDGEHARNESS_DATA_DIR) and SmolLM2-135M-Instruct, all ways in turns in one run, so that ratios hold
where seconds do not. On a GPU, `--shape llama-3-8b` puts random weights of that shape behind the same prompts and
tokens: what scoring costs does not depend on what the weights say.
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
import transformers
from scipy.special import softmax

from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.hf.scorer import ModelScorer
from judgeharness.backends.hf.tree import TreeScorer, sizes_for
from judgeharness.backends.local.prefix_tree import count_tokens
from judgeharness.domain.nouns import FloatArray
from judgeharness.evaluation import asking
from judgeharness.evaluation.components import component, task_definition
from judgeharness.evaluation.executors.local import Local
from judgeharness.evaluation.plan import make_plan
from judgeharness.plugins.options import NoOptions
from judgeharness.plugins.registry import Registry
from judgeharness.store.answer_store import AnswerStore
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from judgeharness.tasks.datasets import DataFolders, cache_folder
from judgeharness.tasks.fetch import Meter, silent
from judgeharness.tasks.task import Task, load_task

ITEMS = {
    "cpu": {"parallel-explicit": 4, "serial-explicit": 1},
    "cuda": {"parallel-explicit": 80, "serial-explicit": 12},
}
ROUNDS = 3
LM_EVAL_BATCH = 16
GEMM_SIZE = {"cpu": 2048, "cuda": 8192}
SHAPES = {
    "llama-3-8b": transformers.LlamaConfig(
        hidden_size=4096,
        intermediate_size=14336,
        num_hidden_layers=32,
        num_attention_heads=32,
        num_key_value_heads=8,
        vocab_size=128256,
        max_position_embeddings=8192,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
    )
}
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
        synchronize()
        begun = time.perf_counter()
        result = action()
        synchronize()
        times.append(time.perf_counter() - begun)
    return min(times), result


def synchronize() -> None:
    """Wait for the GPU, where there is one."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def square_rate(model: Any) -> float:
    """Multiply-adds a second, times two, of a square matrix product in the model's number format on its device."""
    size = GEMM_SIZE[model.device.type]
    a, b = (torch.randn(size, size, dtype=model.dtype, device=model.device) for _ in range(2))
    return 2 * size**3 / best(12, lambda: a @ b)[0]


def linear_layers(model: Any) -> list[torch.nn.Linear]:
    """The model's linear layers but for its head."""
    head = model.get_output_embeddings()
    return [each for each in model.modules() if isinstance(each, torch.nn.Linear) and each is not head]


def own_products_seconds(model: Any, rows: int) -> float:
    """Seconds a token that the model's own matrix products alone take, its real weights in their order."""
    layers = linear_layers(model)
    inputs = {
        layer.in_features: torch.randn(rows, layer.in_features, dtype=model.dtype, device=model.device)
        for layer in layers
    }

    def products() -> None:
        with torch.inference_mode():
            for layer in layers:
                torch.nn.functional.linear(inputs[layer.in_features], layer.weight)

    return best(4, products)[0] / rows


@contextmanager
def peak_memory(before: int, device: str) -> Iterator[Callable[[], int]]:
    """Watches how much the process, or what it holds of a GPU, grows over `before` bytes; gives what tells the most."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        yield lambda: torch.cuda.max_memory_allocated() - before
        return
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
    activity = torch.profiler.ProfilerActivity
    on_gpu = torch.cuda.is_available()
    with torch.profiler.profile(activities=[activity.CUDA if on_gpu else activity.CPU]) as watched:
        action()
    spent = {
        event.key.removeprefix("aten::"): event.self_device_time_total if on_gpu else event.self_cpu_time_total
        for event in watched.key_averages()
    }
    total = sum(spent.values())
    for name in sorted(spent, key=lambda name: -spent[name])[:most]:
        yield f"{spent[name] / total:6.1%}  {name[:100]}"


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


def whole_run(backend: HuggingFaceBackend, task: Task, strategy: Any) -> tuple[float, float]:
    """Seconds of a run with rendering, tokenising and storing, and the share of them spent outside the scorer.

    On a GPU that share is of no meaning: what is done outside is done while the GPU works.
    """
    inside = [0.0]
    scorer = backend._scorer
    original = scorer.begin

    def timed(*arguments: Any) -> Any:
        begun = time.perf_counter()
        result = original(*arguments)
        inside[0] += time.perf_counter() - begun
        return result

    scorer.begin = timed
    with (
        tempfile.TemporaryDirectory() as work,
        Store.open(Path(work) / "s.db") as store,
        store.sessions.recorded("s", SessionRecord()),
    ):
        store.answers.add_backend("b", {})
        work_to_do = make_plan(task, strategy, backend, "b", store.answers)
        begun = time.perf_counter()
        kept = AnswerStore(store=store, backend_digest="b", session_id="s")
        asking.ask(work_to_do, backend, Local(NoOptions()), kept, lambda prompts: None, lambda items: None)
        whole = time.perf_counter() - begun
    scorer.begin = original
    return whole, 1 - inside[0] / whole


def opened(name: str, shape: str | None) -> HuggingFaceBackend:
    """A model made ready; of a shape, with random weights, and only the tokenizer of the one that is named."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backend = HuggingFaceBackend(name, HuggingFaceOptions(device=device), BackendContext(cache_folder(), print))
    if shape is None:
        loading, _ = best(1, backend.open)
        print(f"loading from the cache took {loading:.1f} s")
        return backend
    with torch.device(device):
        model = transformers.AutoModelForCausalLM.from_config(SHAPES[shape], dtype=backend._placement.torch_dtype)
    backend._model = model.eval()
    backend._scorer = ModelScorer(backend._model, "auto", None, print)
    return backend


def measure(name: str, backend: HuggingFaceBackend, task: Task, strategy: Any, given: argparse.Namespace) -> None:
    """All ways on one strategy's prompts, as a table."""
    model, device = backend._model, backend._model.device.type
    letters = [backend.describe()["letters"][letter] for letter in "ABC"]
    sizes = sizes_for(model, None)
    tree, plain = TreeScorer(model, sizes), PlainScorer(model)
    groups = [strategy.group(item, task) for item in task.items]
    tokens = [backend.encode(group) for group in groups]
    texts = [text for group in groups for text in backend.render(group)]
    unique = sum(count_tokens(each).unique for each in tokens)
    held = torch.cuda.memory_allocated() if device == "cuda" else psutil.Process().memory_info().rss
    with peak_memory(held, device) as most:
        tree.score(tokens, letters)
        grown = most()
    flops = 2 * sum(layer.weight.numel() for layer in linear_layers(model))
    square = square_rate(model)
    own = 1 / own_products_seconds(model, sizes.chunk)
    seconds, scored = best(ROUNDS, lambda: tree.score(tokens, letters))
    ways = {"prefix tree": Timed(seconds, np.concatenate([each.logits for each in scored]))}
    square = max(square, square_rate(model))
    whole, outside = min(whole_run(backend, task, strategy) for _ in range(ROUNDS))
    seconds, scored = best(1, lambda: plain.score(tokens, letters))
    ways["plain batches"] = Timed(seconds, np.concatenate([each.logits for each in scored]))
    if given.lm_eval:
        ways["lm-evaluation-harness"] = lm_eval(given.lm_eval, backend, texts, "ABC")

    print(f"\n{name}: {len(groups)} items, {len(texts):,} prompts, {unique:,} unique tokens, {model.dtype}")
    reference = softmax(ways["plain batches"].logits, axis=1)
    for way, timed in ways.items():
        difference = np.abs(softmax(timed.logits, axis=1) - reference).max()
        print(
            f"  {way:22} {timed.seconds:8.2f} s  {unique / timed.seconds:7.0f} unique tokens/s  "
            f"{len(texts) / timed.seconds:6.0f} prompts/s  "
            f"{timed.seconds / ways['prefix tree'].seconds:5.1f}x  differs by {difference:.1e}"
        )
    rate = unique / ways["prefix tree"].seconds
    print(
        f"  of {square / flops:,.0f}/s, square {GEMM_SIZE[device]} products at {square / 1e12:.2f} TFLOP/s: "
        f"{rate * flops / square:.0%}"
    )
    print(f"  of {own:,.0f}/s, the model's own matrix products alone: {rate / own:.0%}")
    print(f"  at most {grown / 1e6:,.0f} MB of memory more than the loaded model")
    times = whole / ways["prefix tree"].seconds
    print(f"  a whole run: {whole:.2f} s, {unique / whole:,.0f} unique tokens/s, {times:.2f}x")
    if device == "cpu":
        print(f"  outside the model: {outside:.1%} of a run")
    if given.profile:
        for line in profile(lambda: tree.score(tokens, letters)):
            print(f"    {line}")


def main() -> None:
    """Run everything and print a table for each strategy."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--lm-eval", metavar="PYTHON", help="the Python of an environment with lm_eval")
    arguments.add_argument("--profile", action="store_true", help="say where the prefix tree's time goes")
    arguments.add_argument("--model", default="smollm2", help="what stands after hf: (smollm2)")
    arguments.add_argument("--shape", choices=SHAPES, help="random weights of this shape, with the model's tokenizer")
    given = arguments.parse_args()

    registry = Registry.from_environment()
    backend = opened(given.model, given.shape)
    print(f"{backend.environment()['device']}, {torch.get_num_threads()} threads, torch {torch.__version__}")
    whole = load_task(task_definition(registry, "chaosnli"), DataFolders.from_environment(), _quiet)
    for name, n_items in ITEMS[backend._model.device.type].items():
        strategy = component(registry.strategies, name, {}).part
        measure(name, backend, whole.limited(n_items), strategy, given)


@contextmanager
def _quiet(what: str) -> Iterator[Meter]:
    yield silent


if __name__ == "__main__":
    main()
