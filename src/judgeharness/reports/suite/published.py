"""Printed figures and measured ones side by side, where both are about the same judge asked in the same way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.text import figure
from judgeharness.store.runs import Run
from judgeharness.tasks.published import PublishedJudge, PublishedRow


@dataclass(frozen=True, slots=True)
class Pair:
    """A printed row and the run that measures the same."""

    judge: PublishedJudge
    row: PublishedRow
    run: Run

    def differs(self, metric: str) -> bool:
        """Whether the two would not be printed alike, with three decimals."""
        return metric in self.row.figures and figure(self.row.figures[metric]) != figure(self.run.metrics.get(metric))


def pairs(board: Board) -> list[Pair]:
    """Every printed row that a run of the board is the counterpart of, as printed."""
    published = board.task.published
    if published is None:
        return []
    return [
        Pair(judge, row, run)
        for judge, row in published.rows()
        for run in board.runs
        if is_counterpart(judge, row, run)
    ]


def is_counterpart(judge: PublishedJudge, row: PublishedRow, run: Run) -> bool:
    """Whether a run is about the same judge, strategy, transform and, where it is printed, temperature."""
    return (
        judge.is_about(run.backend)
        and (row.strategy, row.transform) == (run.strategy, run.transform)
        and row.temperature in (None, run.temperature)
    )


def cells(pair: Pair, metrics: Sequence[MetricSpec]) -> Iterator[tuple[str, str, bool]]:
    """For each metric the printed figure, the measured one, and whether they differ."""
    for spec in metrics:
        measured = figure(pair.run.metrics.get(spec.name))
        yield figure(pair.row.figures.get(spec.name)), measured, pair.differs(spec.name)
