"""Metrics on predictions: which of them can be measured, and the number that comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain import FloatArray, Item, Prediction
from judgeharness.errors import HarnessError
from judgeharness.specs import MetricSpec

Metric = Callable[[FloatArray, FloatArray], FloatArray | float]
"""human and model, (items, labels) both, to a value for each item (items,), or to one number."""

Resampled = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]
"""human and model (items, labels) and counts (samples, items) to the measure of each sample (samples,)."""


Ends = Callable[[FloatArray, FloatArray, float], tuple[float, float] | None]
"""human and model (items, labels) and a level of confidence to both ends of an interval."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric, with the form of it that takes many samples at once and its own interval, if it has them."""

    spec: MetricSpec
    metric: Metric
    resampled: Resampled | None = None
    ends: Ends | None = None

    def values(self, human: FloatArray, model: FloatArray) -> FloatArray:
        """Of each item (items,), or the one number of all (). Raises HarnessError for a metric that fails."""
        try:
            value = np.asarray(self.metric(human.copy(), model.copy()), dtype=np.float64)
        # A metric may be anybody's.
        except Exception as error:
            raise HarnessError(f"metric '{self.spec.name}' failed: {type(error).__name__}: {error}") from error
        expected = (len(human),) if self.spec.level == "item" else ()
        if value.shape != expected:
            raise HarnessError(f"metric '{self.spec.name}' gave the shape {value.shape}, not {expected}")
        return value

    def value(self, human: FloatArray, model: FloatArray) -> float | None:
        """The mean over items, or the number of all; None where it is undefined. Raises as `values`."""
        mean = float(self.values(human, model).mean())
        return mean if np.isfinite(mean) else None


def measure(
    items: Sequence[Item], predictions: Sequence[Prediction], measures: Mapping[str, Measure]
) -> dict[str, float | None]:
    """Each measure over the items that have a prediction; None where there is none, or the measure is undefined.

    Raises HarnessError where a metric fails or gives something of the wrong shape.
    """
    human, model = paired(items, predictions)
    if not len(human):
        return dict.fromkeys(measures)
    return {name: each.value(human, model) for name, each in measures.items()}


def paired(items: Sequence[Item], predictions: Sequence[Prediction]) -> tuple[FloatArray, FloatArray]:
    """Human and model distributions (items, labels) of the items that have a prediction."""
    n_labels = len(items[0].human) if items else 0
    human, model = np.empty((len(items), n_labels)), np.empty((len(items), n_labels))
    count = 0
    for item, prediction in zip(items, predictions, strict=True):
        if prediction.probabilities:
            human[count], model[count] = item.human, prediction.probabilities
            count += 1
    return human[:count], model[:count]


def applicable(measures: Mapping[str, Measure], ordinal: bool) -> dict[str, Measure]:
    """The measures that make sense for a task's labels. ordinal: whether these have an order."""
    return {name: each for name, each in measures.items() if ordinal or not each.spec.ordinal}
