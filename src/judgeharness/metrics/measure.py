"""Compute metrics on predictions: which of them apply, and their values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, Item, Prediction, floats
from judgeharness.plugins.specs import MetricSpec
from judgeharness.plugins.walls import who

Metric = Callable[[FloatArray, FloatArray], FloatArray | float]
"""Maps human and model, both (items, labels), to a value for each item (items,), or to one number."""

Resampled = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""Maps human and model (items, labels) and counts (samples, items) to the metric of each sample (samples,)."""


Ends = Callable[[FloatArray, FloatArray, float], tuple[float, float] | None]
"""Maps human and model (items, labels) and a level of confidence to both ends of an interval."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric, with its form for many samples at once and its own interval, if it has them."""

    spec: MetricSpec
    metric: Metric
    resampled: Resampled | None = None
    ends: Ends | None = None

    @property
    def who(self) -> str:
        """How messages name the metric, with its plugin."""
        return who(self.metric, f"metric '{self.spec.name}'")

    def values(self, human: FloatArray, model: FloatArray) -> FloatArray:
        """Return the value of each item (items,), or one number for all items ().

        Raises HarnessError if the metric fails.
        """
        expected = (len(human),) if self.spec.level == "item" else ()
        return self._checked(self.metric(human.copy(), model.copy()), expected)

    def value(self, human: FloatArray, model: FloatArray) -> float | None:
        """Return the mean over items, or the number for all items.

        It is None if it is undefined or the metric fails.
        """
        try:
            mean = float(self.values(human, model).mean())
        except HarnessError:
            return None
        return mean if np.isfinite(mean) else None

    def fault(self, human: FloatArray, model: FloatArray) -> str | None:
        """Say why there is no value, or return None if there is one."""
        try:
            values = np.atleast_1d(self.values(human, model))
        except HarnessError as error:
            return error.message
        wrong = values[~np.isfinite(values)]
        if not len(wrong):
            return None
        of = f" for {len(wrong):,} of {len(values):,} items" if self.spec.level == "item" else ""
        return f"{self.who} gives {wrong[0]:g}{of}"

    def resamples(self, human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
        """Return the value of a corpus metric on each sample, which contains item i counts[sample, i] times.

        Raises as `values`.
        """
        if self.resampled is not None:
            return self._checked(self.resampled(human, model, counts), (len(counts),))
        rows = (np.repeat(np.arange(len(human)), row.astype(int)) for row in counts)
        return np.array([float(self.values(human[row], model[row])) for row in rows])

    def own_interval(self, human: FloatArray, model: FloatArray, level: float) -> tuple[float, float] | None:
        """Return both ends of the metric's own interval, or None if it has none. Raises as `values`."""
        found = None if self.ends is None else self.ends(human, model, level)
        if found is None:
            return None
        low, high = self._checked(found, (2,)).tolist()
        if not low <= high:
            raise HarnessError(f"{self.who} gives an interval from {low:g} to {high:g}")
        return low, high

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
    human, model = paired(items, predictions)
    if not len(human):
        return dict.fromkeys(measures)
    return {name: each.value(human, model) for name, each in measures.items()}


def paired(items: Sequence[Item], predictions: Sequence[Prediction]) -> tuple[FloatArray, FloatArray]:
    """Return the human and model distributions (items, labels) of the items that have a prediction."""
    n_labels = len(items[0].human) if items else 0
    human, model = np.empty((len(items), n_labels)), np.empty((len(items), n_labels))
    count = 0
    for item, prediction in zip(items, predictions, strict=True):
        if prediction.probabilities:
            human[count], model[count] = item.human, prediction.probabilities
            count += 1
    return human[:count], model[:count]


def applicable(measures: Mapping[str, Measure], ordinal: bool) -> dict[str, Measure]:
    """Return the metrics that suit a task's labels. `ordinal` says whether these have an order."""
    return {name: each for name, each in measures.items() if ordinal or not each.spec.ordinal}
