"""A leaderboard as plain rows, for formats that other programs and papers read."""

from __future__ import annotations

from dataclasses import dataclass

from judgeharness.analysis.intervals import Interval
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.references import ReferenceRow
from judgeharness.reports.text import figure


@dataclass(frozen=True, slots=True)
class Cell:
    """A value with its interval, and whether it is the best of the models."""

    value: float | None
    interval: Interval | None = None
    best: bool = False

    @property
    def text(self) -> str:
        """The value with three decimals, and both ends of the interval."""
        if self.interval is None:
            return figure(self.value)
        return f"{figure(self.value)} [{figure(self.interval.low)}, {figure(self.interval.high)}]"


@dataclass(frozen=True, slots=True)
class Row:
    """A judge, or a reference if `run` is None.

    Attributes:
        source: The source of published results.
        explanations: The name of the explanations, if they are not the task's own.
    """

    rank: int | None
    backend: str
    strategy: str
    transform: str
    temperature: float | None
    cells: tuple[Cell, ...]
    run: str | None = None
    n_items: int | None = None
    n_failed: int | None = None
    source: str = ""
    explanations: str = ""

    @property
    def names(self) -> tuple[str, str, str]:
        """Backend with its failures, strategy with the name of the explanations, and transform with its temperature."""
        tau = "" if self.temperature is None else f" τ={self.temperature:g}"
        way = f"{self.strategy} (explanations: {self.explanations})" if self.explanations else self.strategy
        return self.backend + self.failures, way, self.transform + tau

    @property
    def failures(self) -> str:
        """How many items failed, to follow the backend's name. It is empty if none did."""
        return f" ({self.n_failed:,} of {self.n_items:,} failed)" if self.n_failed else ""


def rows(board: Board, metrics: tuple[MetricSpec, ...]) -> list[Row]:
    """Return the runs of a board, best first, then published results, then its references."""
    judges = [
        Row(
            board.ranks.get(run.id),
            run.backend,
            run.strategy or "",
            run.transform or "",
            run.temperature,
            tuple(_cell(board, run.id, run.metrics.get(spec.name), spec) for spec in metrics),
            run.id,
            run.n_items,
            run.n_failed,
            explanations=run.explanations,
        )
        for run in board.runs
    ]
    return judges + [_reference(row, metrics) for row in (*board.published, *board.references)]


def _reference(row: ReferenceRow, metrics: tuple[MetricSpec, ...]) -> Row:
    cells = tuple(Cell(row.metrics.get(spec.name), row.intervals.get(spec.name)) for spec in metrics)
    name = f"{row.name} (against {row.against})" if row.against else row.name
    return Row(None, name, row.strategy or "", row.transform or "", row.temperature, cells, source=row.source)


def _cell(board: Board, run_id: str, value: float | None, spec: MetricSpec) -> Cell:
    return Cell(value, board.intervals.get(run_id, {}).get(spec.name), board.is_best(run_id, spec))
