"""A leaderboard as a table for the console, for wide and narrow terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from rich import box
from rich.console import Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.columns import column
from judgeharness.reports.formats.notes import AGAINST, PRINTED, notes
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.reports.references import ReferenceRow
from judgeharness.reports.text import Console, plain
from judgeharness.store.runs import Run


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is laid out.

    Attributes:
        joined: What joins backend, strategy and transform into one column; None for a column each.
        runs: Whether to show run ids.
        intervals: Whether to show half of each interval behind the value.
        ranks: Whether to show ranks.
    """

    joined: str | None = None
    runs: bool = False
    intervals: bool = True
    ranks: bool = True


LAYOUTS = (
    Layout(runs=True),
    Layout(),
    Layout(joined=" "),
    Layout(joined="\n"),
    Layout(joined=" ", intervals=False),
    Layout(joined="\n", intervals=False),
    Layout(joined="\n", intervals=False, ranks=False),
)
"""From wide to narrow. The first layout that fits is used."""


def write(board: Leaderboard, out: TextIO) -> None:
    """Print all boards to a terminal or file."""
    console = Console(file=out)
    console.print(render(board, console.width))


def render(leaderboard: Leaderboard, width: int) -> RenderableType:
    """Show the boards one below the other, for a terminal that is `width` columns wide."""
    if not leaderboard.boards:
        return plain("no runs yet: 'judgeharness eval' makes some")
    return Group(*(part for board in leaderboard.boards for part in _board(board, leaderboard.metrics, width)))


def _board(board: Board, metrics: tuple[MetricSpec, ...], width: int) -> Iterator[RenderableType]:
    yield Text()
    yield _title(board)
    layout = _fitting(board, metrics, width)
    yield _table(board, metrics, layout)
    for note in notes(board, layout.intervals, layout.ranks):
        yield plain(note, "dim")


def _fitting(board: Board, metrics: tuple[MetricSpec, ...], width: int) -> Layout:
    unbounded = Console(width=10_000)
    for layout in LAYOUTS:
        table = _table(board, metrics, layout)
        if Measurement.get(unbounded, unbounded.options, table).maximum <= width:
            return layout
    return LAYOUTS[-1]


def _title(board: Board) -> Text:
    task = board.task
    split = "" if task.split == "all" else f" · {task.split}"
    return Text.assemble(plain(task.name, "bold"), plain(f"{split} · {board.count} · {len(task.labels)} labels"))


def _table(board: Board, metrics: tuple[MetricSpec, ...], layout: Layout) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    rows: list[Run | ReferenceRow] = [*board.runs, *board.published, *board.references]
    figures = [column(metric, board, rows, layout.intervals) for metric in metrics]
    if layout.ranks and len(board.ranks) > 1:
        table.add_column("#", justify="right", no_wrap=True)
    for name in ("backend", "strategy", "transform") if layout.joined is None else ("judge",):
        table.add_column(name, overflow="fold")
    for head, _ in figures:
        table.add_column(head, no_wrap=True)
    if layout.runs:
        table.add_column("run", style="dim", no_wrap=True)
    ends = {len(board.runs), len(board.runs) + len(board.published)} - {0, len(rows)}
    for number, (row, *cells) in enumerate(zip(rows, *(cells for _, cells in figures), strict=True), start=1):
        style = "" if isinstance(row, Run) else "dim"
        table.add_row(*_cells(board, row, cells, layout), style=style, end_section=number in ends)
    return table


def _cells(board: Board, row: Run | ReferenceRow, figures: Sequence[Text], layout: Layout) -> list[RenderableType]:
    place, name = (str(board.ranks.get(row.id, "")), row.id) if isinstance(row, Run) else ("", "")
    return [
        *([Text(place)] if layout.ranks and len(board.ranks) > 1 else []),
        *_names(row, layout),
        *figures,
        *([Text(name)] if layout.runs else []),
    ]


def _names(row: Run | ReferenceRow, layout: Layout) -> list[Text]:
    if isinstance(row, Run):
        failed = f" ({row.n_failed:,} of {row.n_items:,} failed)" if row.n_failed else ""
        judge = plain(row.backend) + Text(failed, "bold red")
    else:
        mark = f" {PRINTED}" if row.source else f" {AGAINST}" if row.against else ""
        judge = plain(row.name + mark)
    tau = "" if row.temperature is None else f" τ={row.temperature:g}"
    names = [judge, plain(row.way), plain((row.transform or "") + tau)]
    return names if layout.joined is None else [Text(layout.joined).join(name for name in names if name.plain)]
