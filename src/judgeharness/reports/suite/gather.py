"""Collect a suite's report from the store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from judgeharness.evaluation.suites import Suite
from judgeharness.metrics.measure import Measure
from judgeharness.reports.comparison import Comparison, compared
from judgeharness.reports.leaderboard import Board, Leaderboard, View, leaderboard
from judgeharness.reports.suite.report import Cost, SuiteReport
from judgeharness.store.database import Store
from judgeharness.store.runs import Run

MODEL_FACTS = ("model", "file", "revision", "dtype", "quantization", "device")
VERSIONS = ("judgeharness", "python", "torch", "transformers", "llama-cpp-python", "openai", "numpy", "scipy")


def board_of(suite: Suite, runs: Sequence[Run], store: Store, measures: Mapping[str, Measure]) -> Leaderboard:
    """Return the suite's leaderboard."""
    return leaderboard(runs, store.runs, measures, View(sort=suite.sort, people=suite.people))


def gather(
    suite: Suite, command: str, board: Leaderboard, store: Store, measures: Mapping[str, Measure]
) -> SuiteReport:
    """Return the report of a suite's runs, without plots. `command` is the command that makes it again."""
    models = [run for run in board.runs if run.strategy]
    return SuiteReport(
        title=suite.title,
        about=suite.about,
        command=command,
        versions=_versions(board.runs, store),
        models=tuple(_facts(run, store) for run in {run.backend_digest: run for run in models}.values()),
        asked=tuple(_asked(models, store)),
        board=board,
        comparisons=tuple(_comparisons(suite, board, store, measures)),
        plots=(),
    )


def _versions(runs: Sequence[Run], store: Store) -> dict[str, str]:
    record = store.sessions.find(runs[-1].session_id).record
    known = {"judgeharness": record.judgeharness, "python": record.python, **record.packages}
    return {name: known[name] for name in VERSIONS if name in known}


def _facts(run: Run, store: Store) -> tuple[str, dict[str, Any]]:
    known = {**store.answers.description(run.backend_digest), **run.record.environment}
    return run.backend, {name: known[name] for name in MODEL_FACTS if known.get(name) not in (None, "none")}


def _asked(models: Sequence[Run], store: Store) -> Iterator[Cost]:
    ways = {(run.backend_digest, run.way, run.task_digest): run for run in reversed(models)}
    for run in reversed(ways.values()):
        yield Cost(run, run.record.prompts, store.runs.seconds(run.id))


def _comparisons(
    suite: Suite, board: Leaderboard, store: Store, measures: Mapping[str, Measure]
) -> Iterator[Comparison]:
    """Compare strategies with the first one in the suite, for each model and transform."""
    order = [name for table in suite.evaluations for name in table.strategies]
    for each in board.boards:
        for runs in _same_but_for_strategy(each):
            found = sorted(runs, key=lambda run: order.index(run.strategy or ""))
            if len(found) > 1:
                yield compared([run.id for run in found], store.runs, measures, suite.sort, 0)


def _same_but_for_strategy(board: Board) -> list[list[Run]]:
    found: dict[tuple[str, str | None, float | None], list[Run]] = {}
    for run in board.runs:
        if run.strategy and run.n_failed < run.n_items:
            found.setdefault((run.backend_digest, run.transform, run.temperature), []).append(run)
    return list(found.values())
