"""Published and measured results side by side, if both are about the same judge, strategy and transform."""

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
    """A published row and its counterpart among the runs."""

    judge: PublishedJudge
    row: PublishedRow
    run: Run

    def differs(self, metric: str) -> bool:
        """Return whether the two values differ with three decimals."""
        return metric in self.row.figures and figure(self.row.figures[metric]) != figure(self.run.metrics.get(metric))


def pairs(board: Board) -> list[Pair]:
    """Return every published row that has a counterpart on the board, in the published order."""
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
    """Return whether a run has the row's judge, strategy, transform and, if one is published, temperature."""
    return (
        judge.is_about(run.backend)
        and (row.strategy, row.transform) == (run.strategy, run.transform)
        and row.temperature in (None, run.temperature)
    )


def cells(pair: Pair, metrics: Sequence[MetricSpec]) -> Iterator[tuple[str, str, bool]]:
    """Yield for each metric the published value, the measured value, and whether they differ."""
    for spec in metrics:
        measured = figure(pair.run.metrics.get(spec.name))
        yield figure(pair.row.figures.get(spec.name)), measured, pair.differs(spec.name)
