"""A leaderboard as Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TextIO

from judgeharness.domain.escaping import safe
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.rows import Row, rows
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.reports.verdict import sentences

ARROWS = {"lower": "↓", "higher": "↑", "zero": "→0"}
SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|!])")


def write(board: Leaderboard, out: TextIO) -> None:
    """Write a heading and a table for each board, with 95 % intervals in brackets and the best models' values bold."""
    for each in board.boards:
        out.write("\n".join(_board(each, board.metrics)) + "\n\n")


def _board(board: Board, metrics: Sequence[MetricSpec]) -> Iterator[str]:
    yield f"### {escaped(board.task.name)} ({escaped(board.task.split)}), {board.task.n_items:,} items"
    yield ""
    heads = [f"{escaped(spec.label)} {ARROWS[spec.direction]}" for spec in metrics]
    lines = [_cells(row) for row in rows(board, tuple(metrics))]
    yield table("rlll" + "r" * len(heads), ["#", "judge", "strategy", "transform", *heads], lines)
    yield from (f"\n{escaped(line)}" for line in sentences(board))
    for source in dict.fromkeys(row.source for row in board.published):
        yield f"\n† as published in {escaped(source)}"


def _cells(row: Row) -> list[str]:
    figures = [f"**{cell.text}**" if cell.best else cell.text for cell in row.cells]
    judge, *way = map(escaped, row.names)
    return ["" if row.rank is None else str(row.rank), judge + " †" * bool(row.source), *way, *figures]


def table(columns: str, heads: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table. `columns` has one character for each column: "l" to align it left, "r" to align it right."""
    rule = [{"l": "---", "r": "--:"}[side] for side in columns]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (heads, rule, *lines))


def escaped(text: str) -> str:
    """Return a text in which nothing is Markdown markup."""
    return SPECIAL.sub(r"\\\1", safe(text)).replace("\n", " ")
