"""Plot how close soft labels are to people against how well a classifier learned from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from judgeharness.finetune.relation import Relation
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.plots.paper import new_figure, style, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw(found: Relation, of_labels: Sequence[MetricSpec], of_model: MetricSpec) -> Figure:
    """Plot a panel for each metric of the labels, with a point for each classifier."""
    figure = new_figure(2.6 * len(of_labels), 2.8 + 0.16 * len(found.taught))
    panels = figure.subplots(1, len(of_labels), sharey=True, squeeze=False)[0]
    for axes, spec in zip(panels, of_labels, strict=True):
        for place, each in enumerate(found.taught):
            x, y = each.of_labels.get(spec.name), each.of_model.get(of_model.name)
            if x is not None and y is not None:
                axes.plot([x], [y], label=wrapped(each.name, 70), markersize=5, **{**style(place), "linestyle": ""})
        tau = found.tau.get((spec.name, of_model.name))
        axes.set(xlabel=f"{spec.label} of the labels")
        axes.set_title("" if tau is None else f"τ = {tau:+.2f}")
    panels[0].set_ylabel(f"{of_model.label} of the classifier")
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center")
    return figure
