"""What judges are shown beside: people, the noise floor, and what knows nothing of the items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from judgeharness.analysis import people
from judgeharness.analysis.intervals import Estimate, Interval, estimate
from judgeharness.analysis.people import FLOOR, HALVES, SHUFFLED, Reference
from judgeharness.backends.baseline import mean_distribution
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, Item, Prediction
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.store.runs import Run

HALF = "half of the votes"
FEWER = "half of the votes are not those of so many people"


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """Values on the same items that no run gave: a baseline's, people's, or published ones, which have a source.

    Attributes:
        against: What they are measured against, if that is not all votes.
        intervals: The range of 95 % of draws, by metric, for what is drawn at random.
    """

    name: str
    metrics: Mapping[str, float | None]
    strategy: str | None = None
    transform: str | None = None
    temperature: float | None = None
    source: str = ""
    note: str = ""
    against: str = ""
    intervals: Mapping[str, Interval | None] = field(default_factory=dict)

    @property
    def way(self) -> str:
        """The strategy, or an empty text."""
        return self.strategy or ""


@dataclass(frozen=True, slots=True, eq=False)
class References:
    """All references of a board.

    Attributes:
        rows: The rows to show.
        nothing: The estimates of the baselines that know nothing of the items, by name and metric.
        floor: The estimate of the noise floor in the metric to sort by.
    """

    rows: tuple[ReferenceRow, ...]
    nothing: Mapping[str, Mapping[str, Estimate]]
    floor: Estimate | None


def gathered(
    items: Sequence[Item], runs: Sequence[Run], measures: Mapping[str, Measure], sort: str, numbers: Sequence[int]
) -> References:
    """Return the references of a board.

    Args:
        items: The board's items.
        runs: The board's runs. Baselines among them get no second row.
        measures: The metrics, by name.
        sort: The metric to sort by.
        numbers: Numbers of annotators who are measured against half of the votes.
    """
    humans = Sample.of(items, [Prediction(item.uid, item.human) for item in items])
    floor = people.noise_floor(humans, measures, sort)
    answers = sorted({n for run in runs if (n := _answers(run)) is not None})
    drawn = [
        (FLOOR, floor, ""),
        *((f"{FLOOR} of {n} answers", people.answers_floor(humans, measures, n), "") for n in answers),
        *((_annotators(n), people.annotators(humans, measures, n), HALF) for n in dict.fromkeys(numbers)),
        (HALVES, people.split_half(humans, measures), HALF),
        (SHUFFLED, people.shuffled(humans, measures), ""),
    ]
    missing = [n for n in dict.fromkeys(numbers) if not _has(humans, n)]
    baselines = {f"baseline:{name}": humans.judged(rows) for name, rows in _baselines(items, humans.human).items()}
    present = {run.backend for run in runs}
    rows = [
        *(_drawn_row(name, found, against) for name, found, against in drawn if found),
        *(ReferenceRow(_annotators(n), {}, note=FEWER) for n in missing),
        *(
            ReferenceRow(name, {key: each.value(_seen(name, sample, each)) for key, each in measures.items()})
            for name, sample in baselines.items()
            if name not in present
        ),
    ]
    nothing = {name: _estimates(name, baselines[name], measures) for name in ("baseline:uniform", "baseline:mean")}
    return References(tuple(rows), nothing, floor[sort].estimate if sort in floor else None)


def _has(sample: Sample, n: int) -> bool:
    """Return whether half of each item's votes are those of n people or more."""
    return sample.votes is not None and bool((sample.votes.sum(axis=1) // 2).min() >= n)


def _seen(name: str, sample: Sample, measure: Measure) -> Sample:
    """Return the sample of a baseline for a metric.

    The means over other items depend on the item, though backwards. A metric of all items together would see that.
    """
    if name != "baseline:mean" or measure.spec.level == "item":
        return sample
    return sample.judged(np.tile(sample.human.mean(axis=0), (len(sample), 1)))


def _annotators(n: int) -> str:
    return "1 annotator" if n == 1 else f"{n:,} annotators"


def _answers(run: Run) -> int | None:
    """Return of how many answers each of the run's distributions consists, if it does."""
    strategy = run.record.strategy
    n = strategy.options.get("n") if strategy is not None and strategy.name == "sampling" else None
    return n if isinstance(n, int) and n > 0 else None


def _drawn_row(name: str, found: Mapping[str, Reference], against: str) -> ReferenceRow:
    values = {key: each.value for key, each in found.items()}
    return ReferenceRow(name, values, against=against, intervals={key: each.interval for key, each in found.items()})


def _baselines(items: Sequence[Item], human: FloatArray) -> dict[str, FloatArray]:
    """Return the distributions of the uniform and the mean baseline, and of the task's other label sources."""
    sources = {"uniform": np.full(human.shape, 1 / human.shape[1]), "mean": mean_distribution(human)}
    for name in items[0].references if items else ():
        if all(name in item.references for item in items):
            sources[name] = np.array([item.references[name] for item in items])
    return sources


def _estimates(name: str, sample: Sample, measures: Mapping[str, Measure]) -> dict[str, Estimate]:
    found = {}
    for key, each in measures.items():
        try:
            known = estimate(each, _seen(name, sample, each))
        # Boards say for which runs a metric fails.
        except HarnessError:
            continue
        if known is not None:
            found[key] = known
    return found
