"""How many tokens a second are written, for texts one by one and many together: `python benchmarks/writing.py`.

Both local backends write reasons (the prompts of `cot`) about items of nli-sample. The rounds go through all sizes one
after the other, and of each size the best round counts, so that what else the machine does weighs the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf import writer as hf_writer
from judgeharness.backends.hf.backend import HuggingFaceBackend
from judgeharness.backends.hf.options import HuggingFaceOptions
from judgeharness.backends.llamacpp import writer as llama_writer
from judgeharness.backends.llamacpp.backend import LlamaCppBackend
from judgeharness.backends.llamacpp.options import LlamaCppOptions
from judgeharness.domain.nouns import GeneratedTexts, PromptGroup
from judgeharness.evaluation.components import task_definition
from judgeharness.plugins.registry import Registry
from judgeharness.strategies.cot import CotOptions, cot
from judgeharness.tasks.datasets import DataFolders, cache_folder
from judgeharness.tasks.fetch import silent_meter
from judgeharness.tasks.task import load_task

SIZES = (1, 4, 8, 16, 32)


def groups(items: int, tokens: int) -> list[PromptGroup]:
    """The prompts of `cot`: three an item."""
    folders = DataFolders.from_environment()
    task = load_task(task_definition(Registry.from_environment(), "nli-sample"), folders, silent_meter).limited(items)
    strategy = cot(CotOptions(reasoning_tokens=tokens))
    return [strategy.group(item, task) for item in task.items]


def written(backend: Any, asked: Sequence[PromptGroup]) -> tuple[int, float]:
    """Tokens written, and the seconds that it took."""
    begun = time.perf_counter()
    results = list(backend.generate(asked))
    seconds = time.perf_counter() - begun
    texts = [text for each in results if isinstance(each, GeneratedTexts) for text in each.texts]
    return sum(map(len, backend.chat.encode(texts))), seconds


def set_hf(size: int) -> None:
    """How many texts the `hf:` writer takes together."""
    hf_writer.TOGETHER["cpu"] = size


def set_llama(size: int) -> None:
    """How many texts the `llamacpp:` writer takes together."""
    llama_writer.TOGETHER = size


def rates(backend: Any, resize: Callable[[int], None], asked: Sequence[PromptGroup], rounds: int) -> dict[int, float]:
    """Tokens a second by how many texts are written together, the best of the rounds."""
    found: dict[int, float] = dict.fromkeys(SIZES, 0.0)
    for _ in range(rounds):
        for size in SIZES:
            resize(size)
            tokens, seconds = written(backend, asked)
            found[size] = max(found[size], tokens / seconds)
    return found


def main() -> None:
    """Print a row for each backend."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--items", type=int, default=11)
    parser.add_argument("--tokens", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    asked = groups(given.items, given.tokens)
    context = BackendContext(Path(cache_folder()), lambda line: None)
    print("tokens a second, texts together: " + "  ".join(f"{size:>6}" for size in SIZES))
    for name, backend, resize in (
        ("hf", HuggingFaceBackend("smollm2", HuggingFaceOptions(), context), set_hf),
        ("llamacpp", LlamaCppBackend("smollm2", LlamaCppOptions(), context), set_llama),
    ):
        backend.describe()
        backend.open()
        row = rates(backend, resize, asked, given.rounds)
        backend.close()
        print(f"{name:>8}{'':25}" + "  ".join(f"{row[size]:6.1f}" for size in SIZES), flush=True)


if __name__ == "__main__":
    main()
