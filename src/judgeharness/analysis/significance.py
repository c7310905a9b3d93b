"""Compare judges on the same items: the difference in a metric, whether it is beyond noise, and what could be seen.

Differences are paired, item by item. The tests are about the metric, not about whether the judges could be exchanged:
two judges with other answers and the same value are equal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from judgeharness.analysis.intervals import LEVEL, Estimate, Interval, estimate, hall, interval, is_enough, is_share
from judgeharness.analysis.intervals import skewness as skewness_of
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.plugins.specs import MetricSpec

ALPHA = 0.05
"""The chance of a false alarm that all tests made together may have."""
POWER = 0.8


@dataclass(frozen=True, slots=True)
class MeasureDifference:
    """The difference of two judges in one metric.

    For a metric that is best at zero, it is the difference of the distances from zero. For one that is estimated by its
    square, it is the difference of the unbiased estimates.

    Attributes:
        first: The first judge's value.
        second: The second judge's value.
        difference: The second value minus the first.
        interval: The interval of the difference; None for too few items.
        p: The two-sided p-value of no difference.
        corrected: The p-value after Holm's correction for the number of comparisons made together.
        detectable: The smallest difference that would have been found on these items in POWER of cases.
    """

    first: float | None
    second: float | None
    difference: float | None
    interval: Interval | None
    p: float | None
    corrected: float | None = None
    detectable: float | None = None


def difference(measure: Measure, first: Sample, second: Sample, level: float = LEVEL) -> MeasureDifference:
    """Compare two judges on the same items with one metric. Raises HarnessError if the metric fails."""
    a, b = measure.value(first), measure.value(second)
    one, other = estimate(measure, first), estimate(measure, second)
    if a is None or b is None:
        return MeasureDifference(a, b, None, None, None)
    if one is None or other is None:
        return MeasureDifference(a, b, b - a, None, None)
    one, other = oriented(measure.spec, one), oriented(measure.spec, other)
    found = paired(one, other)
    found_interval = _interval(measure.spec, one, other, len(first), level)
    value = _root(other) - _root(one) if found.squared else found.value
    if found_interval is None:
        return MeasureDifference(a, b, value, None, None)
    half = (found_interval.high - found_interval.low) / 2
    # What a corpus metric's influences are skewed by is not the skewness of a mean.
    p = p_value(found) if measure.spec.level == "item" else student(found)
    return MeasureDifference(
        a, b, value, found_interval, p, detectable=half * (1 + _normal(POWER) / _normal((1 + level) / 2))
    )


def paired(one: Estimate, other: Estimate) -> Estimate:
    """Return the difference of two estimates on the same items: the other minus the one."""
    influences, beyond = other.influences - one.influences, one.beyond + other.beyond
    return replace(one, value=other.value - one.value, influences=influences, beyond=beyond)


def p_value(found: Estimate) -> float:
    """Return the two-sided p-value of a mean of zero: Student's t with the skewness corrected (Hall 1992)."""
    from scipy.special import stdtr

    if found.error < 1e-15:
        return _without_spread(found)
    t, a = found.value / found.error, skewness_of(found)
    return float(min(1.0, 2 * stdtr(found.freedom, -abs(t + a * t * t / 3 + a * a * t**3 / 27 + a / 6))))


def oriented(spec: MetricSpec, found: Estimate) -> Estimate:
    """Return the estimate of what two judges are compared by: of the distance from zero, if that is the best value."""
    if spec.direction != "zero" or found.value >= 0:
        return found
    return replace(found, value=-found.value, influences=-found.influences)


def student(found: Estimate) -> float:
    """Return the two-sided p-value of an estimate of zero by Student's t. It holds in far tails too."""
    from scipy.special import stdtr

    if found.error < 1e-15:
        return _without_spread(found)
    return float(2 * stdtr(found.freedom, -abs(found.value) / found.error))


def holm(values: Sequence[float | None]) -> list[float | None]:
    """Correct p-values for their number, which keeps the chance of any false alarm at the level (Holm 1979)."""
    known = [place for place, value in enumerate(values) if value is not None]
    corrected: list[float | None] = [None] * len(values)
    found = _holm_of_all(np.array([values[place] for place in known], dtype=np.float64))
    for place, value in zip(known, found.tolist(), strict=True):
        corrected[place] = value
    return corrected


def ranks(spec: MetricSpec, estimates: Mapping[str, Estimate]) -> dict[str, int]:
    """Return each judge's rank by key. Judges share a rank if nothing tells them apart.

    All pairs are tested with Holm's correction, so that the chance that equal judges have different ranks is at most
    ALPHA. A judge's rank is 1 plus the number of judges that are better than it, and no less than that of a judge
    before it. There are none for too few items.

    Args:
        spec: The metric.
        estimates: The estimates on the same items, in the order of the table, best first.
    """
    found = [oriented(spec, each) for each in estimates.values()]
    if not found or not is_enough(spec, found[0]):
        return {}
    one, other = np.triu_indices(len(found), 1)
    different = _holm_of_all(_pairwise(found)[one, other]) < ALPHA
    distances = np.array([spec.distance_from_best(each.value) for each in found])
    worse = np.where(distances[one] > distances[other], one, other)
    beaten = np.bincount(worse[different], minlength=len(found))
    return dict(zip(estimates, (1 + np.maximum.accumulate(beaten)).tolist(), strict=True))


def changed_most(measure: Measure, first: Sample, second: Sample, most: int) -> list[tuple[int, float]]:
    """Return the indices and differences of the items that differ most in a metric, the largest difference first.

    A difference is the second judge's value minus the first's.
    """
    gaps = measure.values(second) - measure.values(first)
    order = np.argsort(-np.abs(gaps), kind="stable")[:most]
    return [(int(place), float(gaps[place])) for place in order if gaps[place] != 0]


def differences(measures: Mapping[str, Measure], first: Sample, second: Sample) -> dict[str, MeasureDifference]:
    """Compare two judges with every metric."""
    return {name: difference(measure, first, second) for name, measure in measures.items()}


def _without_spread(found: Estimate) -> float:
    """Return the p-value where all items differ by the same: that of a sign test."""
    return 1.0 if abs(found.value) < 1e-12 else 0.5 ** (len(found.influences) - 1)


def _interval(spec: MetricSpec, one: Estimate, other: Estimate, items: int, level: float) -> Interval | None:
    """Return the interval of the difference of two estimates.

    Gaps of items have the interval of a mean. Where each judge has an interval of another kind, that of the difference
    is put together from both (MOVER: Zou and Donner 2008), which holds at the edges, where gaps may all be zero.
    """
    ends = [interval(spec, each, items, level) for each in (one, other)]
    if ends[0] is None or ends[1] is None:
        return None
    if spec.level == "item" and not is_share(spec):
        return Interval(*hall(paired(one, other), level), level)
    return _from_both((_root(one), ends[0]), (_root(other), ends[1]), _correlation(one.influences, other.influences))


def _from_both(one: tuple[float, Interval], other: tuple[float, Interval], correlation: float) -> Interval:
    (a, of_a), (b, of_b) = one, other
    low = _together(b - of_b.low, of_a.high - a, correlation)
    high = _together(of_b.high - b, a - of_a.low, correlation)
    return Interval(b - a - low, b - a + high, of_a.level)


def _together(x: float, y: float, correlation: float) -> float:
    return math.sqrt(max(0.0, x * x + y * y - 2 * correlation * x * y))


def _correlation(x: FloatArray, y: FloatArray) -> float:
    spread = math.sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / spread if spread > 0 else 0.0


def _root(found: Estimate) -> float:
    return math.sqrt(max(found.value, 0.0)) if found.squared else found.value


def _pairwise(estimates: Sequence[Estimate]) -> FloatArray:
    """Return the p-values of Student's t for all pairs of estimates, of shape (estimates, estimates)."""
    from scipy.special import stdtr

    values, rows = np.array([each.value for each in estimates]), np.array([each.influences for each in estimates])
    products, n = rows @ rows.T, rows.shape[1]
    own = np.diag(products)[:, None] + np.diag(products)[None, :]
    squares, gaps = n / (n - 1) * (own - 2 * products), np.abs(values[:, None] - values[None, :])
    # What is left of two equal rows is rounding.
    spread = squares > 1e-12 * own
    p: FloatArray = 2 * stdtr(estimates[0].freedom, -gaps / np.sqrt(np.where(spread, squares, 1.0)))
    return np.where(spread, p, np.where(gaps < 1e-9, 1.0, 0.5 ** (n - 1)))


def _holm_of_all(values: FloatArray) -> FloatArray:
    order = np.argsort(values, kind="stable")
    corrected = np.empty_like(values)
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1)))
    return corrected


def _normal(share: float) -> float:
    from scipy.special import ndtri

    return float(ndtri(share))
