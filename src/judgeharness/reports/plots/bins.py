"""A metric by how much people disagree: the items in bins of human entropy, with a line for each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from judgeharness.analysis.intervals import Interval
from judgeharness.analysis.people import FLOOR, noise_floor
from judgeharness.analysis.slices import ENTROPY, by_number, slice_names, sliced
from judgeharness.domain.nouns import Prediction
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.plots.paper import GREY, new_figure, style, wrapped
from judgeharness.reports.plots.series import Judged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[float | None, Interval | None]


@dataclass(frozen=True, slots=True)
class Binned:
    """A metric in bins of entropy, lowest first.

    There is a line for each run, and one for the noise floor if there are votes.
    """

    metric: MetricSpec
    names: tuple[str, ...]
    sizes: tuple[int, ...]
    lines: tuple[tuple[str, tuple[Point, ...]], ...]


def bins_of(judged: Judged, measure: Measure, bins: int) -> Binned:
    """Compute the metric of every run in each bin. Raises as the metric does."""
    name = measure.spec.name
    of_item = slice_names(judged.items, judged.labels, ENTROPY, bins)
    band = dict(zip((item.uid for item in judged.items), of_item, strict=True))
    names = tuple(dict.fromkeys(sorted(of_item, key=by_number)))
    lines = []
    for series in judged.series:
        predictions = [Prediction(uid, tuple(row)) for uid, row in zip(series.uids, series.model.tolist(), strict=True)]
        found = sliced(series.items, predictions, [band[uid] for uid in series.uids], {name: measure})
        points = {each.name: (each.metrics[name], each.intervals.get(name)) for each in found}
        lines.append((series.name, tuple(points.get(each, (None, None)) for each in names)))
    sizes = tuple(of_item.count(each) for each in names)
    return Binned(measure.spec, names, sizes, (*lines, *_floor(judged, measure, of_item, names)))


def _floor(
    judged: Judged, measure: Measure, of_item: Sequence[str], names: Sequence[str]
) -> list[tuple[str, tuple[Point, ...]]]:
    points: list[Point] = []
    whole = Sample.of(judged.items, [Prediction(item.uid, item.human) for item in judged.items])
    for name in names:
        places = np.array([place for place, own in enumerate(of_item) if own == name])
        found = noise_floor(whole, {measure.spec.name: measure}, at=places)
        if not found:
            return []
        points.append((found[measure.spec.name].value, None))
    return [(FLOOR, tuple(points))]


def draw(bins: Binned) -> Figure:
    """Plot the metric over the bins with 95 % intervals. The noise floor is grey."""
    figure = new_figure(4.8, 3.2 + 0.16 * len(bins.lines))
    axes = figure.subplots()
    for place, (name, points) in enumerate(bins.lines):
        # Points are shifted, so that no interval hides another.
        shift = (place - (len(bins.lines) - 1) / 2) * 0.06
        shown = [(at + shift, value, sure) for at, (value, sure) in enumerate(points) if value is not None]
        ends = [
            (value - (sure.low if sure else value), (sure.high if sure else value) - value) for _, value, sure in shown
        ]
        look = {"color": GREY, "marker": "_", "linestyle": ":"} if name == FLOOR else style(place)
        axes.errorbar(
            [at for at, _, _ in shown], [value for _, value, _ in shown],
            yerr=[[max(low, 0.0) for low, _ in ends], [max(high, 0.0) for _, high in ends]],
            label=wrapped(name, 60), markersize=4, linewidth=1, elinewidth=0.8, capsize=2, **look,
        )  # fmt: skip
    ticks = [
        f"{name.partition(': ')[2].removesuffix(' nats')}\n{size:,} items"
        for name, size in zip(bins.names, bins.sizes, strict=True)
    ]
    axes.set_xticks(range(len(bins.names)), labels=ticks)
    axes.set(xlabel="entropy of the human distribution (nats)", ylabel=_measure(bins.metric))
    figure.legend(loc="outside lower center")
    return figure


def _measure(metric: MetricSpec) -> str:
    way = {"lower": "lower is better", "higher": "higher is better", "zero": "best at 0"}[metric.direction]
    unit = f", {metric.unit}" if metric.unit else ""
    return f"{metric.label} ({way}{unit})"
