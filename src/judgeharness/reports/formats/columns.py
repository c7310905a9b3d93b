"""A metric's column in a leaderboard for the console. The values line up, with or without intervals behind them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.references import ReferenceRow
from judgeharness.reports.text import figure, margin, plain
from judgeharness.store.runs import Run

ARROWS = {"lower": "↓", "higher": "↑", "zero": "→0"}


def column(
    metric: MetricSpec, board: Board, rows: Sequence[Run | ReferenceRow], with_intervals: bool
) -> tuple[Text, list[Text]]:
    """Return the header and a cell for each row. All are padded on the left, so that they line up when left-aligned."""
    head = plain(f"{metric.label} {ARROWS[metric.direction]}")
    figures = [_figure(metric, board, row) for row in rows]
    intervals = [_interval(metric, board, row) if with_intervals else "" for row in rows]
    behind = max(map(len, intervals), default=0)
    width = max([len(head) - behind, *map(len, figures)])
    head.pad_left(width - len(head))
    for text, interval in zip(figures, intervals, strict=True):
        text.pad_left(width - len(text))
        text.append(interval, "dim")
    return head, figures


def _figure(metric: MetricSpec, board: Board, row: Run | ReferenceRow) -> Text:
    text = figure(row.metrics.get(metric.name))
    if isinstance(row, Run) and board.is_best(row.id, metric):
        # The mark is for readers who see no colour. It comes first, so that the digits line up.
        return Text.assemble((f"*{text}", "bold green"))
    return Text(text)


def _interval(metric: MetricSpec, board: Board, row: Run | ReferenceRow) -> str:
    found = (board.intervals.get(row.id, {}) if isinstance(row, Run) else row.intervals).get(metric.name)
    return "" if found is None else f" {margin(row.metrics.get(metric.name), found)}"
