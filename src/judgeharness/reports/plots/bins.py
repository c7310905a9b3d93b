"""A metric by how much people disagree: the items in bins of human entropy, with a line for each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from judgeharness.analysis.intervals import Interval
from judgeharness.analysis.people import HALVES, are_a_ceiling, halves_measured, votes_of
from judgeharness.analysis.slices import ENTROPY, slice_names, sliced
from judgeharness.domain.nouns import Prediction
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.plots.paper import GREY, new_figure, style, wrapped
from judgeharness.reports.plots.series import Judged

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Point = tuple[float | None, Interval | None]


@dataclass(frozen=True, slots=True)
class Binned:
    """A metric in bins of entropy, lowest first.

    There is a line for each run, and one for people if there are votes.
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
    names = tuple(sorted(set(of_item)))
    lines = []
    for series in judged.series:
        predictions = [Prediction(uid, tuple(row)) for uid, row in zip(series.uids, series.model.tolist(), strict=True)]
        found = sliced(series.items, predictions, [band[uid] for uid in series.uids], {name: measure})
        points = {each.name: (each.metrics[name], each.intervals.get(name)) for each in found}
        lines.append((series.name, tuple(points.get(each, (None, None)) for each in names)))
    sizes = tuple(of_item.count(each) for each in names)
    return Binned(measure.spec, names, sizes, (*lines, *_people(judged, measure, of_item, names)))


def _people(
    judged: Judged, measure: Measure, of_item: Sequence[str], names: Sequence[str]
) -> list[tuple[str, tuple[Point, ...]]]:
    points: list[Point] = []
    for name in names:
        votes = votes_of([item for item, own in zip(judged.items, of_item, strict=True) if own == name])
        if votes is None or not are_a_ceiling(votes):
            return []
        points.append((halves_measured(votes, {measure.spec.name: measure})[measure.spec.name], None))
    return [(HALVES, tuple(points))]


def draw(bins: Binned) -> Figure:
    """Plot the metric over the bins with 95 % intervals. People are grey."""
    figure = new_figure(4.8, 3.2 + 0.16 * len(bins.lines))
    axes = figure.subplots()
    for place, (name, points) in enumerate(bins.lines):
        # Points are shifted, so that no interval hides another.
        shift = (place - (len(bins.lines) - 1) / 2) * 0.06
        shown = [(at + shift, value, sure) for at, (value, sure) in enumerate(points) if value is not None]
        ends = [
            (value - (sure.low if sure else value), (sure.high if sure else value) - value) for _, value, sure in shown
        ]
        look = {"color": GREY, "marker": "_", "linestyle": ":"} if name == HALVES else style(place)
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
