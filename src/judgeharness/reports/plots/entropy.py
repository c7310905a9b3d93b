"""Entropy against entropy: is a judge uncertain about the items that people disagree on?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from judgeharness.metrics.entropy import entropies, entropy_correlation
from judgeharness.reports.plots.paper import COLOURS, GREY, grid, new_figure, wrapped
from judgeharness.reports.plots.series import Judged, Series

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = 2.4


def draw(judged: Judged) -> Figure:
    """Plot a panel for each run, with each item's entropy in the human and the model distribution, in nats."""
    most = math.log(len(judged.labels))
    rows, columns = grid(judged.series)
    figure = new_figure(PANEL * columns, (PANEL + 0.3) * rows)
    all_axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes, series in zip(all_axes.flat, judged.series, strict=False):
        axes.plot([0, most], [0, most], color=GREY, linewidth=0.8, linestyle="--")
        axes.scatter(
            entropies(series.human), entropies(series.model), s=7, c=COLOURS[0], alpha=0.45, linewidths=0
        )  # fmt: skip
        axes.set_title(f"{wrapped(series.name)}\n{correlation(series)}")
        axes.set(xlim=(-0.03 * most, 1.03 * most), ylim=(-0.03 * most, 1.03 * most), aspect="equal")
    for axes in all_axes.flat[len(judged.series) :]:
        axes.set_axis_off()
    figure.supxlabel("entropy of the human distribution (nats)", fontsize=8)
    figure.supylabel("entropy of the model distribution (nats)", fontsize=8)
    return figure


def correlation(series: Series) -> str:
    """Return Pearson's r between the two entropies, in words."""
    value = entropy_correlation(series.human, series.model)
    return f"r = {value:.2f}" if math.isfinite(value) else "r is undefined"
