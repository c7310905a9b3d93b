"""Two judges on the same items: how far apart, how sure, and on which items they differ most."""

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
    """first, second: the two judges' values. difference: second minus first, with its interval.

    p: of a paired permutation test of no difference. corrected: the same after Holm's correction for the number of
    comparisons that were made together.
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
    """One measure of two judges, (items, labels) each, against the same human distributions."""
    a, b = measure.value(human, first), measure.value(human, second)
    if a is None or b is None:
        return MeasureDifference(a, b, None, None, None)
    name = {"one": measure}
    drawn = draw(name, human, second, samples, seed)["one"] - draw(name, human, first, samples, seed)["one"]
    found = interval(drawn, b - a) if len(human) > 1 else None
    return MeasureDifference(a, b, b - a, found, p_value(measure, human, first, second, seed))


def p_value(measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, seed: int = SEED) -> float:
    """The share of random exchanges of the two judges' answers, item by item, that differ at least as much.

    The observed one counts as an exchange, so that p is never 0 (Phipson and Smyth 2010). Two-sided.
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
    # Rounding makes exchanges that change nothing differ in the last digits.
    least = abs(observed) * (1 - 1e-9) - 1e-12
    return float((1 + np.sum(np.abs(drawn) >= least)) / (1 + len(drawn)))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """p-values corrected for their number, so that the chance of any false alarm stays at the level (Holm 1979)."""
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
    """The items whose value of a measure differs most, with second minus first; the largest difference first."""
    gaps = measure.values(human, second) - measure.values(human, first)
    order = np.argsort(-np.abs(gaps), kind="stable")[:most]
    return [(int(place), float(gaps[place])) for place in order if gaps[place] != 0]


def differences(
    measures: Mapping[str, Measure], human: FloatArray, first: FloatArray, second: FloatArray
) -> dict[str, MeasureDifference]:
    """Every measure of two judges."""
    return {name: difference(measure, human, first, second) for name, measure in measures.items()}


def _exchanged(
    measure: Measure, human: FloatArray, first: FloatArray, second: FloatArray, exchanged: FloatArray
) -> float:
    swap = exchanged.astype(bool)[:, None]
    one, other = np.where(swap, second, first), np.where(swap, first, second)
    return float(measure.values(human, other) - measure.values(human, one))
