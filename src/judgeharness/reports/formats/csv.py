"""A leaderboard as comma-separated values, with one line for each judge and reference, and all digits."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import TextIO

from judgeharness.domain.escaping import safe
from judgeharness.reports.formats.rows import Cell, rows
from judgeharness.reports.leaderboard import Board, Leaderboard

NAMES = (
    "task",
    "split",
    "rank",
    "backend",
    "strategy",
    "explanations",
    "transform",
    "temperature",
    "run",
    "n_items",
    "n_failed",
    "source",
)
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(board: Leaderboard, out: TextIO) -> None:
    """Write one table for all boards. A metric has three columns: its value and both ends of its 95 % interval."""
    writer = csv.writer(out, lineterminator="\n")
    measures = [name for spec in board.metrics for name in (spec.name, f"{spec.name}_low", f"{spec.name}_high")]
    writer.writerow([*NAMES, *measures])
    for each in board.boards:
        writer.writerows(_lines(each, board))


def _lines(board: Board, whole: Leaderboard) -> Iterator[list[object]]:
    for row in rows(board, whole.metrics):
        names = (row.backend, row.strategy, row.explanations, row.transform)
        yield [
            _text(board.task.name),
            _text(board.task.split),
            row.rank,
            *map(_text, names),
            row.temperature,
            row.run,
            row.n_items,
            row.n_failed,
            _text(row.source),
            *(value for cell in row.cells for value in _values(cell)),
        ]


def _values(cell: Cell) -> tuple[float | None, float | None, float | None]:
    if cell.interval is None:
        return cell.value, None, None
    return cell.value, cell.interval.low, cell.interval.high


def _text(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{safe(text)}" if text.startswith(FORMULA) else safe(text)
