"""Compare two judges on the same items: the difference, its significance, and the items that differ most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.analysis.intervals import SAMPLES, SEED, Interval, draw, interval
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.measure import Measure

PERMUTATIONS = 2_000
CORPUS_PERMUTATIONS = 500


@dataclass(frozen=True, slots=True)
class MeasureDifference:
    """The difference of two judges in one metric.

    Attributes:
        first: The first judge's value.
        second: The second judge's value.
        difference: The second value minus the first.
        interval: The interval of the difference.
        p: The p-value of a paired permutation test of no difference.
        corrected: The p-value after Holm's correction for the number of comparisons made together.
    """

    first: float | None
    second: float | None
    difference: float | None
    interval: Interval | None
    p: float | None
    corrected: float | None = None


def difference(
    measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, samples: int = SAMPLES, seed: int = SEED
) -> MeasureDifference:
    """Compare two judges' distributions (items, labels) with one metric, against the same human distributions."""
    a, b = measure.value(human, first), measure.value(human, second)
    if a is None or b is None:
        return MeasureDifference(a, b, None, None, None)
    name = {"one": measure}
    drawn = draw(name, human, second, samples, seed)["one"] - draw(name, human, first, samples, seed)["one"]
    found = interval(drawn, b - a) if len(human) > 1 else None
    return MeasureDifference(a, b, b - a, found, p_value(measure, human, first, second, seed))


def p_value(measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, seed: int = SEED) -> float:
    """Return the p-value of a two-sided paired permutation test.

    This is the share of random exchanges of the two judges' answers, item by item, that differ at least as much as the
    judges do. The observed answers count as one exchange, so p is never 0 (Phipson and Smyth 2010).
    """
    of_items = measure.spec.level == "item"
    random = np.random.default_rng(seed)
    exchanged = random.random((PERMUTATIONS if of_items else CORPUS_PERMUTATIONS, len(human))) < 0.5
    if of_items:
        gaps = measure.values(human, second) - measure.values(human, first)
        observed = gaps.mean()
        drawn = np.where(exchanged, -1.0, 1.0) @ gaps / len(gaps)
    else:
        observed = float(measure.values(human, second) - measure.values(human, first))
        drawn = np.array([_exchanged(measure, human, first, second, row) for row in exchanged])
    # Because of rounding, exchanges that change nothing differ in the last digits.
    least = abs(observed) * (1 - 1e-9) - 1e-12
    return float((1 + np.sum(np.abs(drawn) >= least)) / (1 + len(drawn)))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number, which keeps the chance of any false alarm at the level (Holm 1979)."""
    known = [(value, place) for place, value in enumerate(values) if value is not None]
    corrected: list[float | None] = [None] * len(values)
    largest = 0.0
    for rank, (value, place) in enumerate(sorted(known)):
        largest = max(largest, min(1.0, value * (len(known) - rank)))
        corrected[place] = largest
    return corrected


def changed_most(
    measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, most: int
) -> list[tuple[int, float]]:
    """Return the indices and differences of the items that differ most in a metric, the largest difference first.

    A difference is the second judge's value minus the first's.
    """
    gaps = measure.values(human, second) - measure.values(human, first)
    order = np.argsort(-np.abs(gaps), kind="stable")[:most]
    return [(int(place), float(gaps[place])) for place in order if gaps[place] != 0]


def differences(
    measures: Mapping[str, Measure], human: FloatArray, first: FloatArray, second: FloatArray
) -> dict[str, MeasureDifference]:
    """Compare two judges with every metric."""
    return {name: difference(measure, human, first, second) for name, measure in measures.items()}


def _exchanged(
    measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, exchanged: FloatArray
) -> float:
    swap = exchanged.astype(bool)[:, None]
    one, other = np.where(swap, second, first), np.where(swap, first, second)
    return float(measure.values(human, other) - measure.values(human, one))
