"""Ternary plots: each item is a point in a triangle whose corners are the labels.

People and judges stand side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import FloatArray
from judgeharness.reports.plots.paper import COLOURS, MARKERS, grid, new_figure, wrapped
from judgeharness.reports.plots.series import Judged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PEOPLE = "people"
PANEL = 2.4


def panels(judged: Judged) -> list[tuple[str, tuple[str, ...], FloatArray, FloatArray]]:
    """Return people and then each run: its name, uids, their human distributions, and the points (items, 3).

    Raises InputError if the task does not have three labels.
    """
    if len(judged.labels) != 3:
        raise InputError(
            f"a ternary plot is for three labels, and task {judged.task.name} has {len(judged.labels)}",
            "'judgeharness plot entropy' takes any number",
        )
    uids = tuple(item.uid for item in judged.items)
    return [
        (PEOPLE, uids, judged.human, judged.human),
        *((each.name, each.uids, each.human, each.model) for each in judged.series),
    ]


def require_known(marked: Sequence[str], judged: Judged) -> None:
    """Raise InputError if a uid is not one of the items'."""
    known = {item.uid for item in judged.items}
    for uid in marked:
        if uid not in known:
            raise InputError(f"no item '{uid}' among the {len(known):,} of these runs")


def draw(judged: Judged, marked: Sequence[str] = ()) -> Figure:
    """Plot a triangle for people and for each run. Colour and shape show the label that most people chose.

    Args:
        judged: The runs.
        marked: The uids of items that get a ring and a number in every triangle.

    Raises:
        InputError: The task does not have three labels, or a marked uid is not one of the items'.
    """
    require_known(marked, judged)
    shown = panels(judged)
    rows, columns = grid(shown)
    lines = 3 + len(marked) if columns < 3 else 1 + -(-len(marked) // 3)
    figure = new_figure(PANEL * columns, (PANEL + 0.2) * rows + 0.2 + 0.17 * lines)
    for place, (name, uids, human, points) in enumerate(shown, start=1):
        axes: Any = figure.add_subplot(rows, columns, place, projection="ternary")
        _triangle(axes, judged.labels)
        axes.set_title(wrapped(name), pad=20)
        majority = human.argmax(axis=1)
        for label, (colour, marker) in enumerate(zip(COLOURS, MARKERS, strict=False)):
            own = points[majority == label]
            if len(own):
                axes.scatter(*_corners(own), s=7, c=colour, marker=marker, alpha=0.45, linewidths=0)
        _mark(axes, uids, points, marked)
    _legend(figure, judged.labels, marked)
    return figure


def _corners(points: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return top, left and right: the second label is at the top, the first on the left, the third on the right."""
    return points[:, 1], points[:, 0], points[:, 2]


def _triangle(axes: Any, labels: Sequence[str]) -> None:
    left, top, right = (wrapped(label, 16) for label in labels)
    axes.text(1.05, -0.025, -0.025, top, ha="center", va="bottom")
    axes.text(-0.06, 1.03, 0.03, left, ha="center", va="top")
    axes.text(-0.06, 0.03, 1.03, right, ha="center", va="top")
    for axis in (axes.taxis, axes.laxis, axes.raxis):
        axis.set_ticks([0.25, 0.5, 0.75], labels=[""] * 3)
    axes.tick_params(length=0)
    axes.grid(linewidth=0.4, color="#cccccc")


def _mark(axes: Any, uids: Sequence[str], points: FloatArray, marked: Sequence[str]) -> None:
    for number, uid in enumerate(marked, start=1):
        if uid in uids:
            point = points[[uids.index(uid)]]
            top, left, right = _corners(point)
            axes.scatter(top, left, right, s=40, facecolors="none", edgecolors="black", linewidths=0.9)
            corners = (float(top[0]), float(left[0]), float(right[0]))
            axes.text(*corners, f"  {number}", fontsize=8, fontweight="bold", va="bottom")


def _legend(figure: Figure, labels: Sequence[str], marked: Sequence[str]) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=colour, marker=marker, linestyle="", markersize=4, label=f"most chose {label}")
        for label, colour, marker in zip(labels, COLOURS, MARKERS, strict=False)
    ]
    ring: Any = {"marker": "o", "markersize": 6, "markerfacecolor": "none", "markeredgecolor": "black", "linestyle": ""}
    handles += [Line2D([], [], label=f"{number}: {uid}", **ring) for number, uid in enumerate(marked, start=1)]
    figure.legend(handles=handles, loc="outside lower center", ncols=3 if figure.get_figwidth() > 2 * PANEL else 1)


def plane(points: FloatArray) -> FloatArray:
    """Map points (items, 3) to the unit square (items, 2). The triangle's corners are at (0, 0), (.5, 1) and (1, 0)."""
    return np.stack([points[:, 2] + points[:, 1] / 2, points[:, 1]], axis=1)
