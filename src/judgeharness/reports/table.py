"""A leaderboard as a table for the console, from wide terminals down to narrow ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

from rich import box
from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from judgeharness.reports.leaderboard import Board, Leaderboard, ReferenceRow
from judgeharness.reports.text import figure, plain
from judgeharness.specs import MetricSpec
from judgeharness.store.runs import Run

ARROWS = {"lower": "↓", "higher": "↑", "zero": "→0"}
LOW_MASS = 0.5
PRINTED = "†"


@dataclass(frozen=True, slots=True)
class Layout:
    """How a judge's backend, strategy and transform stand, in a column each or joined, and whether run ids do.

    intervals: whether half the width of each interval stands beside the figure. ranks: whether places stand in front.
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
    Layout(joined="\n", intervals=False),
    Layout(joined="\n", intervals=False, ranks=False),
)
"""From wide to narrow: the first that fits is taken."""


def write(board: Leaderboard, out: TextIO) -> None:
    """Print every board to a terminal or file."""
    console = Console(file=out)
    console.print(render(board, console.width))


def render(leaderboard: Leaderboard, width: int) -> RenderableType:
    """The boards one below the other, laid out for a terminal of `width` columns."""
    if not leaderboard.boards:
        return plain("no runs yet: 'judgeharness eval' makes some")
    return Group(*(part for board in leaderboard.boards for part in _board(board, leaderboard.metrics, width)))


def _board(board: Board, metrics: tuple[MetricSpec, ...], width: int) -> Iterator[RenderableType]:
    yield Text()
    yield _title(board)
    yield _fitting(board, metrics, width)
    for note in _notes(board):
        yield plain(note, "dim")


def _fitting(board: Board, metrics: tuple[MetricSpec, ...], width: int) -> Table:
    unbounded = Console(width=10_000)
    tables = [_table(board, metrics, layout) for layout in LAYOUTS]
    fitting = [table for table in tables if Measurement.get(unbounded, unbounded.options, table).maximum <= width]
    return fitting[0] if fitting else tables[-1]


def _title(board: Board) -> Text:
    task = board.task
    items = f"{task.n_items:,} items" if task.n_items == task.n_total else f"{task.n_items:,} of {task.n_total:,} items"
    split = "" if task.split == "all" else f" · {task.split}"
    return Text.assemble(plain(task.name, "bold"), plain(f"{split} · {items} · {len(task.labels)} labels"))


def _table(board: Board, metrics: tuple[MetricSpec, ...], layout: Layout) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    if layout.ranks and len(board.ranks) > 1:
        table.add_column("#", justify="right", no_wrap=True)
    for name in ("backend", "strategy", "transform") if layout.joined is None else ("judge",):
        table.add_column(name, overflow="fold")
    for metric in metrics:
        table.add_column(plain(f"{metric.label} {ARROWS[metric.direction]}"), justify="right", no_wrap=True)
    if layout.runs:
        table.add_column("run", style="dim", no_wrap=True)
    for rows in (board.runs, board.published, board.references):
        if rows and table.row_count:
            table.add_section()
        for row in rows:
            style = "" if isinstance(row, Run) else "dim"
            table.add_row(*_cells(board, row, metrics, layout), style=style)
    return table


def _cells(
    board: Board, row: Run | ReferenceRow, metrics: tuple[MetricSpec, ...], layout: Layout
) -> list[RenderableType]:
    if isinstance(row, Run):
        place, name = str(board.ranks.get(row.id, "")), row.id
        figures = _figures(board, row, metrics, layout)
    else:
        place = name = ""
        figures = _reference_figures(board, row, metrics, layout)
    return [
        *([Text(place)] if layout.ranks and len(board.ranks) > 1 else []),
        *_names(row, layout),
        *figures,
        *([Text(name)] if layout.runs else []),
    ]


def _names(row: Run | ReferenceRow, layout: Layout) -> list[Text]:
    if isinstance(row, Run):
        judge = plain(row.backend) + (Text(f" ({row.n_failed} failed)", "bold red") if row.n_failed else Text())
    else:
        judge = plain(f"{row.name} {PRINTED}" if row.source else row.name)
    tau = "" if row.temperature is None else f" τ={row.temperature:g}"
    names = [judge, plain(row.strategy or ""), plain((row.transform or "") + tau)]
    return names if layout.joined is None else [Text(layout.joined).join(name for name in names if name.plain)]


def _figures(board: Board, run: Run, metrics: tuple[MetricSpec, ...], layout: Layout) -> Iterator[Text]:
    for metric in metrics:
        value = run.metrics.get(metric.name)
        best = board.best(metric)
        is_best = run.strategy is not None and best is not None and figure(value) == figure(best)
        # The mark is for those who see no colour; in front, so that the digits line up.
        text = Text(f"*{figure(value)}", "bold green") if is_best else Text(figure(value))
        interval = board.intervals.get(run.id, {}).get(metric.name)
        if layout.intervals and interval is not None:
            text.append(f" ±{figure((interval.high - interval.low) / 2).lstrip('0')}", "dim")
        yield text


def _reference_figures(
    board: Board, row: ReferenceRow, metrics: tuple[MetricSpec, ...], layout: Layout
) -> Iterator[Text]:
    # In line with the figures above, which have an interval behind them.
    blank = " " * 6 if layout.intervals and board.intervals else ""
    for metric in metrics:
        yield Text(figure(row.metrics.get(metric.name)) + blank)


def _notes(board: Board) -> Iterator[str]:
    models = [run for run in board.runs if run.strategy is not None]
    yield from _legend(board, models)
    yield from _unexpected(board)
    if board.task.record.get("notice"):
        yield f"note: {board.task.record['notice']}"
    for run in board.runs:
        if run.n_failed:
            yield (
                f"{run.backend} {run.strategy or ''} {run.transform or ''}: {run.n_failed} of {run.n_items} items "
                f"failed and are not in its figures ('judgeharness show {run.id}')"
            )
    yield from dict.fromkeys(line for run in models if (line := _censoring(run)))
    for (backend, strategy), mass in _low_masses(models).items():
        yield (
            f"{backend} {strategy}: the options hold {mass:.1%} of the probability of the first answer token; "
            "this model seldom answers with a letter"
        )


def _legend(board: Board, models: list[Run]) -> Iterator[str]:
    if len(models) > 1:
        yield "* best model"
    for source in dict.fromkeys(row.source for row in board.published):
        yield f"{PRINTED} as printed in {source}"
    for row in board.published:
        if row.note:
            name = " ".join(part for part in (row.name, row.strategy, row.transform) if part)
            yield f"{name} {PRINTED}: {row.note}"
    if any(row.name.startswith("people:") for row in board.references):
        yield "people: one half of the votes against the other half, which no judge can be expected to beat"
    if len(board.ranks) > 1:
        yield "# a place is shared where the difference is within noise (95 %, paired over items)"
    if board.intervals:
        yield "± half of the 95 % interval over items (bootstrap)"


def _unexpected(board: Board) -> Iterator[str]:
    """Where KL says little else than that something was given no probability."""
    for run in board.runs:
        count = run.record.get("items_with_unexpected_labels")
        if isinstance(count, int) and count:
            name = " ".join(part for part in (run.backend, run.strategy, run.transform) if part)
            yield (
                f"{name}: KL is ruled by {count:,} of {run.n_items:,} items, on "
                "which this judge gives nothing to a label that people chose (kl-smoothed bounds that)"
            )


def _censoring(run: Run) -> str | None:
    """What stands at a bound because the server did not return it."""
    censored, options = run.record.get("options_censored"), run.record.get("options")
    if not isinstance(censored, int) or not isinstance(options, int) or not censored:
        return None
    mass, left_out = run.record.get("options_mass"), run.record.get("prompts_left_out")
    line = (
        f"{run.backend} {run.strategy}: {censored:,} of {options:,} option scores ({censored / options:.1%}) were not "
        "among the tokens that the server returned, and stand at their upper bound"
    )
    if left_out:
        line += f"; {left_out:,} prompts for which it returned none are left out"
    return line + (f"; the options hold {mass:.1%} of the probability" if isinstance(mass, float) else "")


def _low_masses(runs: list[Run]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for run in runs:
        mass = run.record.get("options_mass")
        if isinstance(mass, float) and mass < LOW_MASS:
            found[(run.backend, run.strategy or "")] = mass
    return found
