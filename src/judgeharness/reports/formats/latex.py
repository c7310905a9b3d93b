"""A leaderboard as LaTeX tables, which need the package booktabs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TextIO

from judgeharness.domain.escaping import safe
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.rows import Cell, Row, rows
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.reports.text import figure, margin
from judgeharness.reports.verdict import sentences

ARROWS = {"lower": r"$\downarrow$", "higher": r"$\uparrow$", "zero": r"$\to 0$"}
SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "τ": r"$\tau$", "\n": " ", "\t": " ",
}  # fmt: skip


def write(board: Leaderboard, out: TextIO) -> None:
    """Write a tabular for each board.

    The 95 % interval follows each value, as half of it where the value is in the middle. The best models' values are
    bold.
    """
    for each in board.boards:
        out.write("\n".join(_board(each, board.metrics)) + "\n\n")


def _board(board: Board, metrics: Sequence[MetricSpec]) -> Iterator[str]:
    yield f"% {escaped(board.task.name)} ({escaped(board.task.split)}), {board.task.n_items} items"
    yield rf"\begin{{tabular}}{{rlll{'r' * len(metrics)}}}"
    yield r"\toprule"
    heads = [f"{escaped(spec.label)} {ARROWS[spec.direction]}" for spec in metrics]
    yield _line([r"\#", "judge", "strategy", "transform", *heads])
    yield r"\midrule"
    written = rows(board, tuple(metrics))
    for before, row in zip([None, *written], written, strict=False):
        if before is not None and _kind(before) != _kind(row):
            yield r"\midrule"
        yield _line(_cells(row))
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield from (f"% {escaped(line)}" for line in sentences(board))
    for source in dict.fromkeys(row.source for row in board.published):
        yield rf"% dagger: as published in {escaped(source)}"


def _kind(row: Row) -> tuple[bool, bool]:
    return row.run is None, bool(row.source)


def _cells(row: Row) -> list[str]:
    rank = "" if row.rank is None else str(row.rank)
    judge, *way = map(escaped, row.names)
    return [rank, judge + r"$^\dagger$" * bool(row.source), *way, *(_figure(cell) for cell in row.cells)]


def _figure(cell: Cell) -> str:
    text = figure(cell.value) if cell.value is None else f"${figure(cell.value)}$"
    if cell.best:
        text = rf"\textbf{{{figure(cell.value)}}}"
    if cell.interval is None:
        return text
    behind = margin(cell.value, cell.interval).replace(" ", r"\;").replace("±", r"\pm ")
    return rf"{text} {{\scriptsize ${behind}$}}"


def _line(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def escaped(text: str) -> str:
    """Return a text in which nothing is a LaTeX command."""
    return "".join(SPECIAL.get(char, char) for char in safe(text))
