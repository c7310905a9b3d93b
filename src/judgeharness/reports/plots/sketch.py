"""Plots as text, for a quick look in the terminal."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.domain.escaping import safe
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.entropy import entropies
from judgeharness.reports.plots import entropy, ternary
from judgeharness.reports.plots.bins import Binned
from judgeharness.reports.plots.series import Judged
from judgeharness.reports.text import figure, margin, plain

SHADES = ".:-=+*#%@"
ROWS, COLUMNS = 16, 34
BAR = 40

Places = npt.NDArray[np.int64]


def triangles(judged: Judged, marked: Sequence[str] = ()) -> RenderableType:
    """Show a triangle for people and for each run. The denser a character, the more items. Marked items are digits.

    Raises InputError as `ternary.draw`.
    """
    ternary.require_known(marked, judged)
    left, top, right = (label[: COLUMNS // 2] for label in judged.labels) if len(judged.labels) == 3 else ("", "", "")
    shown = []
    for name, uids, _, points in ternary.panels(judged):
        canvas = shaded(ternary.plane(points), ROWS, COLUMNS)
        _outline(canvas)
        for number, uid in enumerate(marked[:9], start=1):
            if uid in uids:
                row, column = _place(ternary.plane(points[[uids.index(uid)]]), ROWS, COLUMNS)
                canvas[row[0]][column[0]] = str(number)
        lines = [*_name(name), top.center(COLUMNS), *("".join(row) for row in canvas)]
        lines.append(left + right.rjust(COLUMNS - len(left)))
        shown.append(Text("\n".join(lines), no_wrap=True))
    return Group(_beside(shown), *(plain(f"{number}: {uid}", "dim") for number, uid in enumerate(marked[:9], start=1)))


def clouds(judged: Judged) -> RenderableType:
    """Show entropy against entropy for each run: human to the right, model upwards, both from 0 to ln K."""
    most = math.log(len(judged.labels))
    shown = []
    for series in judged.series:
        points = np.stack([entropies(series.human), entropies(series.model)], axis=1) / most
        canvas = shaded(points, ROWS, COLUMNS)
        edge = "+" + "-" * COLUMNS + "+"
        lines = [*_name(series.name), entropy.correlation(series), edge]
        lines += [f"|{''.join(row)}|" for row in canvas]
        shown.append(Text("\n".join([*lines, edge]), no_wrap=True))
    note = f"entropy from 0 to {most:.2f} nats: of people to the right, of the judge upwards"
    return Group(_beside(shown), plain(note, "dim"))


def bars(bins: Binned) -> RenderableType:
    """Show the metric in each bin as bars, with a block for each run."""
    values = [abs(value) for _, points in bins.lines for value, _ in points if value is not None]
    most = max(values, default=0.0) or 1.0
    parts: list[RenderableType] = []
    for name, points in bins.lines:
        table = Table.grid(padding=(0, 2))
        for band, (value, sure) in zip(bins.names, points, strict=True):
            half = f" {margin(value, sure)}".rstrip()
            bar = "" if value is None else "█" * round(abs(value) / most * BAR)
            table.add_row(plain(band), Text(f"{figure(value)}{half}"), Text(bar))
        parts += [Text(), plain(name, "bold"), table]
    return Group(*parts, plain(f"{bins.metric.label} by entropy of the human distribution", "dim"))


def shaded(points: FloatArray, rows: int, columns: int) -> list[list[str]]:
    """Draw points of the unit square (items, 2) on a canvas of characters. The denser a character, the more points."""
    counts = np.zeros((rows, columns), dtype=np.int64)
    np.add.at(counts, _place(points, rows, columns), 1)
    most = max(int(counts.max(initial=0)), 1)
    # On a logarithmic scale one item remains visible beside a hundred.
    shades = np.rint(np.log1p(counts) / math.log1p(most) * (len(SHADES) - 1)).astype(int)
    return [
        [SHADES[shade] if count else " " for count, shade in zip(own, levels, strict=True)]
        for own, levels in zip(counts, shades, strict=True)
    ]


def _place(points: FloatArray, rows: int, columns: int) -> tuple[Places, Places]:
    x = np.clip(np.rint(points[:, 0] * (columns - 1)), 0, columns - 1).astype(int)
    y = np.clip(np.rint((1 - points[:, 1]) * (rows - 1)), 0, rows - 1).astype(int)
    return y, x


def _outline(canvas: list[list[str]]) -> None:
    rows, columns = len(canvas), len(canvas[0])
    for row, line in enumerate(canvas):
        half = row / (rows - 1) / 2
        ends = (round((0.5 - half) * (columns - 1)), "/"), (round((0.5 + half) * (columns - 1)), "\\")
        for column, mark in ends:
            if line[column] == " ":
                line[column] = mark
    canvas[-1][:] = ["_" if mark == " " else mark for mark in canvas[-1]]


def _name(name: str) -> list[str]:
    """Return a name on exactly two lines, so that plots side by side start at the same height."""
    return [*textwrap.wrap(safe(name), COLUMNS, max_lines=2, placeholder="...", break_on_hyphens=False), "", ""][:2]


def _beside(shown: Sequence[Text]) -> RenderableType:
    from rich.columns import Columns

    return Columns(shown, padding=(1, 3))
