"""Position bias: the mean probability of each letter, and of the explanation at each position, for several judges."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judgeharness.analysis.bias import Bias, Preference
from judgeharness.domain.nouns import LETTERS
from judgeharness.reports.plots.paper import GREY, new_figure, style, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Named = Sequence[tuple[str, Bias]]


def draw(biases: Named) -> Figure:
    """Plot letters on the left and, if explanations were shown in an order, their positions on the right."""
    most = max(len(each.places) for _, each in biases)
    figure = new_figure(6.4 if most else 3.6, 2.8 + 0.16 * len(biases))
    panels = figure.subplots(1, 2 if most else 1, squeeze=False)[0]
    _panel(panels[0], [(name, each.letters) for name, each in biases], LETTERS[: len(biases[0][1].letters)])
    panels[0].axhline(1 / len(biases[0][1].letters), color=GREY, linewidth=0.8, linestyle="--")
    panels[0].set(xlabel="letter (dashed: an even judge)", ylabel="mean probability")
    if most:
        _panel(panels[1], [(name, each.places) for name, each in biases], [str(place + 1) for place in range(most)])
        panels[1].set(xlabel="place of the explanation", ylabel="mean probability of its label")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center")
    return figure


def _panel(axes: Axes, rows: Sequence[tuple[str, tuple[Preference, ...]]], ticks: Sequence[str]) -> None:
    for place, (name, preferences) in enumerate(rows):
        if not preferences:
            continue
        shift = (place - (len(rows) - 1) / 2) * 0.1
        values = [each.value for each in preferences]
        low = [0.0 if each.interval is None else max(each.value - each.interval.low, 0.0) for each in preferences]
        high = [0.0 if each.interval is None else max(each.interval.high - each.value, 0.0) for each in preferences]
        look = {**style(place), "linestyle": ""}
        axes.errorbar(
            [at + shift for at in range(len(values))], values, yerr=[low, high], label=wrapped(name, 60),
            markersize=5, elinewidth=0.8, capsize=2, **look,
        )  # fmt: skip
    axes.set_xticks(range(len(ticks)), labels=list(ticks))
    axes.set_xlim(-0.6, len(ticks) - 0.4)
    axes.margins(y=0.15)
