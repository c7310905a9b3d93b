"""How much a metric would change with other items: bootstrap intervals, and paired comparisons of two judges.

The items are the sample: Efron and Tibshirani 1993, An Introduction to the Bootstrap. All judges over the same number
of items are measured on the same resamples, so that their differences are paired.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.specs import MetricSpec

LEVEL = 0.95
SAMPLES = 2_000
SEED = 0
MIN_ITEMS = 10
"""With fewer items, reports leave intervals out, because so few say little about others."""
CHUNK = 500
MAX_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """The range that contains a metric's true value with confidence `level`."""

    low: float
    high: float
    level: float = LEVEL


def intervals(
    measures: Mapping[str, Measure],
    human: FloatArray,
    model: FloatArray,
    samples: int = SAMPLES,
    level: float = LEVEL,
    seed: int = SEED,
) -> dict[str, Interval | None]:
    """Return each metric's own interval, or the bootstrap interval. It is None if there is none, as for a single item.

    Bootstrap intervals are bias-corrected (Efron 1981): the share of samples below the estimate shifts both ends.
    """
    if len(human) < 2:
        return dict.fromkeys(measures)
    faults: dict[str, str] = {}
    drawn = draw(bootstrapped(measures), human, model, samples, seed, faults)
    return intervals_of(drawn, measures, human, model, level, faults)


def intervals_of(
    drawn: Mapping[str, FloatArray],
    measures: Mapping[str, Measure],
    human: FloatArray,
    model: FloatArray,
    level: float = LEVEL,
    faults: dict[str, str] | None = None,
) -> dict[str, Interval | None]:
    """Return intervals from resamples drawn before. Metrics without resamples get None. `faults` is as in `draw`."""
    found: dict[str, Interval | None] = dict.fromkeys(measures)
    for name, measure in measures.items():
        with _noting(name, faults):
            if measure.ends is not None:
                ends = measure.own_interval(human, model, level)
                found[name] = None if ends is None else Interval(*ends, level)
            elif name in drawn:
                found[name] = interval(drawn[name], measure.value(human, model), level)
    return found


def bootstrapped(measures: Mapping[str, Measure]) -> dict[str, Measure]:
    """Return the metrics that have no interval of their own."""
    return {name: measure for name, measure in measures.items() if measure.ends is None}


def ranks(drawn: Mapping[str, FloatArray], spec: MetricSpec, level: float = LEVEL) -> dict[str, int]:
    """Return each judge's rank: 1 plus the number of judges that are better beyond noise. Ranks may be shared.

    One judge is better beyond noise if the interval of the paired difference lies on one side of zero.

    Args:
        drawn: The values of one metric on the same resamples of the same items, of shape (samples,), by judge.
        spec: The metric's spec, which says which values are better.
        level: The level of the interval.
    """
    far = {name: np.abs(values) if spec.direction == "zero" else values for name, values in drawn.items()}
    sign = -1.0 if spec.direction == "higher" else 1.0
    found = {}
    for name, own in far.items():
        ends = [np.quantile(sign * (other - own), (1 + level) / 2) for key, other in far.items() if key != name]
        found[name] = 1 + sum(bool(end < 0) for end in ends)
    return found


def draw(
    measures: Mapping[str, Measure],
    human: FloatArray,
    model: FloatArray,
    samples: int = SAMPLES,
    seed: int = SEED,
    faults: dict[str, str] | None = None,
) -> dict[str, FloatArray]:
    """Compute each metric on `samples` resamples of the items. Returns arrays of shape (samples,) by name.

    Args:
        measures: The metrics, by name.
        human: The human distributions, of shape (items, labels).
        model: The model distributions, of shape (items, labels).
        samples: How many resamples to draw.
        seed: The seed of the draws.
        faults: Collects the names of metrics that fail, with the reasons; these are left out of the result.

    Raises:
        HarnessError: A metric failed and `faults` is None.
    """
    of_items: dict[str, FloatArray] = {}
    for name, measure in measures.items():
        if measure.spec.level == "item":
            with _noting(name, faults):
                of_items[name] = measure.values(human, model)
    columns = np.stack(list(of_items.values()), axis=1) if of_items else np.empty((len(human), 0))
    found: dict[str, list[FloatArray]] = {
        name: [] for name, measure in measures.items() if name in of_items or measure.spec.level == "corpus"
    }
    for counts in resamples(len(human), samples, seed):
        means = counts @ columns / len(human)
        for index, name in enumerate(of_items):
            found[name].append(means[:, index])
        for name in [name for name in found if name not in of_items]:
            with _noting(name, faults):
                found[name].append(measures[name].resamples(human, model, counts))
            if faults is not None and name in faults:
                del found[name]
    return {name: np.concatenate(parts) for name, parts in found.items()}


@contextmanager
def _noting(name: str, faults: dict[str, str] | None) -> Iterator[None]:
    """Note the error of a metric that fails in `faults`, or raise it if `faults` is None."""
    try:
        yield
    except HarnessError as error:
        if faults is None:
            raise
        faults.setdefault(name, error.message)


def resamples(items: int, samples: int, seed: int) -> Iterator[FloatArray]:
    """Yield how often each item is drawn in each of `samples` draws of as many items: (samples, items), in chunks."""
    random = np.random.default_rng(seed)
    together = max(1, min(CHUNK, MAX_NUMBERS // max(items, 1)))
    for start in range(0, samples, together):
        size = min(together, samples - start)
        places = random.integers(0, items, (size, items)) + items * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * items).reshape(size, items).astype(np.float64)


def interval(drawn: FloatArray, value: float | None, level: float = LEVEL) -> Interval | None:
    """Return the bias-corrected percentile interval around `value`, or None if there are no finite resamples."""
    from scipy.special import ndtr, ndtri

    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or value is None:
        return None
    below = float(np.mean(drawn < value) + np.mean(drawn == value) / 2)
    # Clipping keeps the shift finite if all resamples lie on one side of the value.
    shift = float(ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn))))
    tails = ndtr(2 * shift + ndtri([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high), level)
