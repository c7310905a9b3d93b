"""Compute metrics on predictions: which of them apply, and their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, Item, Prediction, floats
from judgeharness.plugins.specs import MetricSpec
from judgeharness.plugins.walls import who

MAX_VOTES = 1_000_000

Metric = Callable[[FloatArray, FloatArray], FloatArray | float]
"""Maps human and model, both (items, labels), to a value for each item (items,), or to one number."""

Resampled = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""Maps human and model (items, labels) and counts (samples, items) to the metric of each sample (samples,)."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The items on which a judge is measured.

    Attributes:
        human: The human distributions, of shape (items, labels).
        model: The judge's distributions, of shape (items, labels).
        votes: The counts behind the human distributions, of shape (items, labels), if all are known.
        clusters: The number of each item's cluster, of shape (items,). None if every item stands alone.
    """

    human: FloatArray
    model: FloatArray
    votes: FloatArray | None = None
    clusters: npt.NDArray[np.intp] | None = None

    def __len__(self) -> int:
        """Return the number of items."""
        return len(self.human)

    @classmethod
    def of(cls, items: Sequence[Item], predictions: Sequence[Prediction]) -> Sample:
        """Return the sample of the items that have a prediction."""
        both = [(i, p.probabilities) for i, p in zip(items, predictions, strict=True) if p.probabilities]
        shape = (len(both), len(items[0].human) if items else 0)
        names = [i.cluster for i, _ in both]
        return cls(
            np.array([i.human for i, _ in both], dtype=np.float64).reshape(shape),
            np.array([p for _, p in both], dtype=np.float64).reshape(shape),
            votes_of([i for i, _ in both]),
            _numbered(names) if names and None not in names else None,
        )

    def judged(self, model: FloatArray) -> Sample:
        """Return the same items with the distributions of another judge."""
        return replace(self, model=model)

    def at(self, places: npt.NDArray[np.intp]) -> Sample:
        """Return the items at some places."""
        votes = None if self.votes is None else self.votes[places]
        clusters = None if self.clusters is None else self.clusters[places]
        return Sample(self.human[places], self.model[places], votes, clusters)


def _numbered(names: Sequence[str | None]) -> npt.NDArray[np.intp]:
    numbers = {name: number for number, name in enumerate(dict.fromkeys(names))}
    return np.array([numbers[name] for name in names], dtype=np.intp)


def votes_of(items: Sequence[Item]) -> FloatArray | None:
    """Return the items' votes (items, labels). It is None if an item has none or fractions of votes."""
    if not items or any(item.votes is None for item in items):
        return None
    votes = np.array([item.votes for item in items], dtype=np.float64)
    return votes if (votes == np.floor(votes)).all() and votes.max() <= MAX_VOTES else None


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric, with what its intervals need if it is of all items together.

    Attributes:
        spec: The metric's spec.
        metric: The function.
        resampled: The spec's `resampled`.
        squared: The spec's `squared`.
    """

    spec: MetricSpec
    metric: Metric
    resampled: Resampled | None = None
    squared: Metric | None = None

    @property
    def who(self) -> str:
        """How messages name the metric, with its plugin."""
        return who(self.metric, f"metric '{self.spec.name}'")

    def values(self, sample: Sample) -> FloatArray:
        """Return the value of each item (items,), or one number for all items ().

        Raises HarnessError if the metric fails, or if it takes votes and there are none.
        """
        expected = (len(sample),) if self.spec.level == "item" else ()
        return self._checked(self.metric(self._people(sample), sample.model.copy()), expected)

    def value(self, sample: Sample) -> float | None:
        """Return the mean over items, or the number for all items.

        It is None if it is undefined or the metric fails.
        """
        try:
            mean = float(self.values(sample).mean())
        except HarnessError:
            return None
        return mean if np.isfinite(mean) else None

    def fault(self, sample: Sample) -> str | None:
        """Say why there is no value, or return None if there is one."""
        try:
            values = np.atleast_1d(self.values(sample))
        except HarnessError as error:
            return error.message
        wrong = values[~np.isfinite(values)]
        if not len(wrong):
            return None
        of = f" for {len(wrong):,} of {len(values):,} items" if self.spec.level == "item" else ""
        return f"{self.who} gives {wrong[0]:g}{of}"

    def resamples(self, sample: Sample, counts: FloatArray) -> FloatArray:
        """Return the value of a corpus metric on each sample, which contains item i counts[sample, i] times.

        Raises as `values`.
        """
        if self.resampled is not None:
            found = self.resampled(self._people(sample), sample.model.copy(), counts)
            return self._checked(found, (len(counts),))
        rows = (np.repeat(np.arange(len(sample)), row.astype(int)) for row in counts)
        return np.array([float(self.values(sample.at(row))) for row in rows])

    def squares(self, sample: Sample) -> FloatArray:
        """Return the unbiased square of the metric on all items, then without each of them: (1 + items,).

        Raises as `values`.
        """
        if self.squared is None:
            raise HarnessError(f"{self.who} has no unbiased square")
        return self._checked(self.squared(self._people(sample), sample.model.copy()), (1 + len(sample),))

    def _people(self, sample: Sample) -> FloatArray:
        if not self.spec.votes:
            return sample.human.copy()
        if sample.votes is None:
            raise HarnessError(f"{self.who} takes votes, and these items have shares only")
        return sample.votes.copy()

    def _checked(self, found: object, shape: tuple[int, ...]) -> FloatArray:
        try:
            values = floats(found, "its values")
        except ValueError as error:
            raise HarnessError(f"{self.who} gives nothing usable: {error}") from error
        if values.shape != shape:
            raise HarnessError(f"{self.who} gives the shape {values.shape}, not {shape}")
        return values


def measure(
    items: Sequence[Item], predictions: Sequence[Prediction], measures: Mapping[str, Measure]
) -> dict[str, float | None]:
    """Compute each metric over the items that have a prediction.

    It is None if no item has one, or if it has no value.
    """
    sample = Sample.of(items, predictions)
    return {name: each.value(sample) if len(sample) else None for name, each in measures.items()}


def applicable(measures: Mapping[str, Measure], ordinal: bool) -> dict[str, Measure]:
    """Return the metrics that suit a task's labels. `ordinal` says whether these have an order."""
    return {name: each for name, each in measures.items() if ordinal or not each.spec.ordinal}
