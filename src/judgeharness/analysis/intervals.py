"""How much a metric would change with other items of the same kind: estimates with errors, and confidence intervals.

The items are the sample, together with their votes. Items that share a cluster are drawn together. Nothing is drawn at
random here, so the same predictions always have the same intervals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.plugins.specs import MetricSpec

LEVEL = 0.95
MIN_ITEMS = 10
"""With fewer items (or clusters, if there are any) there are no intervals, because so few say little about others."""
MIN_HEAVY_ITEMS = 100
"""The same for metrics with heavy tails, of which the items that matter most may be missing in a small sample."""
MAX_DELETED = 1_000
MAX_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """The range that contains a metric's true value with confidence `level`."""

    low: float
    high: float
    level: float = LEVEL

    def surrounds(self, value: float) -> bool:
        """Return whether a value is close enough to the middle to stand for it: within a quarter of the half-width."""
        return abs(value - (self.low + self.high) / 2) <= (self.high - self.low) / 8


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """An estimate on the scale on which judges are compared: the metric, or its square if that has no bias.

    Attributes:
        value: The estimate.
        influences: How far each cluster of items moves the estimate from the mean of all, of shape (clusters,). They
            sum to zero. Those of two judges on the same items belong together pair by pair.
        squared: Whether this is the square of the metric.
        beyond: The part of the variance that has nothing to do with which items these are.
        jackknifed: Whether the influences come from the jackknife.
    """

    value: float
    influences: FloatArray
    squared: bool = False
    beyond: float = 0.0
    jackknifed: bool = False

    @property
    def freedom(self) -> float:
        """The degrees of freedom.

        They are halved for the jackknife, whose error is less certain than that of a mean. Simulations with 2 to 40
        equal judges show that half is enough (benchmarks/statistics.py).
        """
        return (len(self.influences) - 1) / (2 if self.jackknifed else 1)

    @property
    def error(self) -> float:
        """The standard error."""
        n = len(self.influences)
        return math.sqrt(n / (n - 1) * float(self.influences @ self.influences) + self.beyond)


def estimate(measure: Measure, sample: Sample) -> Estimate | None:
    """Estimate a metric with the influence of each cluster. It is None if it is undefined or for a single cluster.

    The influences of a mean over items are the items' distances from it. Those of a corpus metric come from the
    jackknife (Efron and Tibshirani 1993, chapter 11). Raises HarnessError if the metric fails.
    """
    groups = _groups(sample)
    if len(groups) == 0 or groups.max() < 1 or (measure.spec.votes and sample.votes is None):
        return None
    if measure.squared is not None:
        found = measure.squares(sample)
        return _checked(Estimate(float(found[0]), _deleted(found[1:], groups), squared=True, jackknifed=True))
    if measure.spec.level == "item":
        values = measure.values(sample)
        mean = float(values.mean())
        if not math.isfinite(mean):
            return None
        return _checked(Estimate(mean, _summed(groups, (values - mean) / len(values))))
    groups = groups % MAX_DELETED
    value = float(measure.values(sample))
    if not math.isfinite(value):
        return None
    without = np.concatenate([measure.resamples(sample, counts) for counts in _without_each(groups)])
    influences = -(len(without) - 1) / len(without) * (without - without.mean())
    return _checked(Estimate(value, influences, jackknifed=True))


def intervals(
    measures: Mapping[str, Measure], sample: Sample, level: float = LEVEL, faults: dict[str, str] | None = None
) -> dict[str, Interval | None]:
    """Return the interval of each metric on new items of the same kind. It is None if there is none.

    Args:
        measures: The metrics, by name.
        sample: The items.
        level: The level of confidence.
        faults: Collects the names of metrics that fail, with the reasons.

    Raises:
        HarnessError: A metric failed and `faults` is None.
    """
    found: dict[str, Interval | None] = dict.fromkeys(measures)
    for name, measure in measures.items():
        with noting(name, faults):
            each = estimate(measure, sample)
            found[name] = None if each is None else interval(measure.spec, each, len(sample), level)
    return found


def interval(spec: MetricSpec, found: Estimate, items: int, level: float = LEVEL) -> Interval | None:
    """Return the interval around an estimate, or None if there are too few items or the metric has none.

    A mean over items has the interval of Hall 1992 (On the Removal of Skewness by Transformation), a share that of
    Wilson 1927, a square the root of its interval, and another corpus metric one on the scale of log-odds, if it is
    bounded.
    """
    if not is_enough(spec, found):
        return None
    if found.squared:
        half = _quantile(level, found.freedom) * found.error
        low, high = (math.sqrt(max(end, 0.0)) for end in (found.value - half, found.value + half))
    elif is_share(spec):
        low, high = _wilson(found, items, level)
    elif spec.level == "item":
        low, high = hall(found, level)
    else:
        low, high = _bounded(spec, found, level)
    bottom, top = (
        math.copysign(math.inf, sign) if end is None else end for end, sign in zip(spec.range, (-1, 1), strict=True)
    )
    return Interval(max(low, bottom), min(high, top), level)


def is_enough(spec: MetricSpec, found: Estimate) -> bool:
    """Return whether there are enough items for an interval and for tests, and the metric has them at all."""
    least = MIN_HEAVY_ITEMS if spec.heavy_tailed else MIN_ITEMS
    return spec.has_interval and len(found.influences) >= least


def is_share(spec: MetricSpec) -> bool:
    """Return whether a metric is the share of items for which something holds."""
    return spec.level == "item" and spec.unit == "share" and spec.range == (0.0, 1.0)


def hall(found: Estimate, level: float = LEVEL) -> tuple[float, float]:
    """Return both ends of the interval of a mean, corrected for the skewness of what it is a mean of."""
    t, skew = _quantile(level, found.freedom), skewness(found)
    return found.value - unskewed(t, skew) * found.error, found.value - unskewed(-t, skew) * found.error


def skewness(found: Estimate) -> float:
    """Return the skewness of what the estimate is a mean of, divided by the root of their number."""
    n = len(found.influences)
    if n < 3 or found.error == 0:
        return 0.0
    scaled = math.sqrt(n) * found.influences / found.error
    return math.sqrt(n) / ((n - 1) * (n - 2)) * float((scaled**3).sum())


def unskewed(t: float, skew: float) -> float:
    """Return the studentised mean whose transformation by Hall 1992 is t. `skew` is as `skewness` returns it."""
    if abs(skew) < 1e-6:
        return t
    return 3 / skew * (float(np.cbrt(1 + skew * (t - skew / 6))) - 1)


def averaged(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of estimates on the same items, such as those of several seeds."""
    influences = np.mean([each.influences for each in estimates], axis=0)
    return replace(estimates[0], value=float(np.mean([each.value for each in estimates])), influences=influences)


@contextmanager
def noting(name: str, faults: dict[str, str] | None) -> Iterator[None]:
    """Note the error of a metric that fails in `faults`, or raise it if `faults` is None."""
    try:
        yield
    except HarnessError as error:
        if faults is None:
            raise
        faults.setdefault(name, error.message)


def _wilson(found: Estimate, items: int, level: float) -> tuple[float, float]:
    """Return the interval of a share. Clusters, and items that count by a part, change for how many items it stands."""
    spread = found.value * (1 - found.value)
    n = len(found.influences) if spread <= 0 or found.error == 0 else min(spread / found.error**2, float(items))
    z = _quantile(level, None)
    middle = (found.value + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(max(spread, 0.0) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def _bounded(spec: MetricSpec, found: Estimate, level: float) -> tuple[float, float]:
    from scipy.special import expit, logit

    low, high = spec.range
    half = _quantile(level, found.freedom) * found.error
    if low is None or high is None:
        return found.value - half, found.value + half
    place, n = (found.value - low) / (high - low), len(found.influences)
    if found.error == 0 and place in (0.0, 1.0):
        ends = _wilson(replace(found, value=place), n, level)
        return low + (high - low) * ends[0], low + (high - low) * ends[1]
    place = min(max(place, 1 / (2 * n)), 1 - 1 / (2 * n))
    odds, half = float(logit(place)), half / (high - low) / (place * (1 - place))
    ends = float(expit(odds - half)), float(expit(odds + half))
    return low + (high - low) * ends[0], low + (high - low) * ends[1]


def _quantile(level: float, freedom: float | None) -> float:
    """Return the two-sided quantile of Student's t, or of the normal distribution if `freedom` is None."""
    from scipy.special import ndtri, stdtrit

    return float(ndtri((1 + level) / 2) if freedom is None else stdtrit(freedom, (1 + level) / 2))


def _checked(found: Estimate) -> Estimate | None:
    return found if math.isfinite(found.value) and np.isfinite(found.influences).all() else None


def _deleted(without: FloatArray, groups: npt.NDArray[np.intp]) -> FloatArray:
    """Return the influences of clusters from the estimates without each item."""
    of_items = -(len(without) - 1) / len(without) * (without - without.mean())
    return _summed(groups, of_items)


def _summed(groups: npt.NDArray[np.intp], values: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(groups, values), dtype=np.float64)


def _groups(sample: Sample) -> npt.NDArray[np.intp]:
    if sample.clusters is None:
        return np.arange(len(sample))
    # Not all clusters may be among these items.
    return np.unique(sample.clusters, return_inverse=True)[1]


def _without_each(groups: npt.NDArray[np.intp]) -> Iterator[FloatArray]:
    """Yield how often each item occurs without one group after the other: (groups, items), in chunks."""
    size = max(1, MAX_NUMBERS // len(groups))
    for start in range(0, int(groups.max()) + 1, size):
        numbers = np.arange(start, min(start + size, int(groups.max()) + 1))
        yield (groups[None, :] != numbers[:, None]).astype(np.float64)
