"""How much a measure would change with other items: bootstrap intervals, and paired comparisons of two judges.

The items are the sample: Efron and Tibshirani 1993, An Introduction to the Bootstrap. Every judge over the same number
of items is measured on the same resamples, so that intervals of two judges may be compared.
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
"""Fewer items say little about others: reports leave intervals out."""
CHUNK = 500
MAX_NUMBERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Interval:
    """Where a measure lies with `level` confidence."""

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
    """The measure's own interval, or the bootstrap's; None where there is none, as for a single item.

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
    """The same from resamples that were drawn before; None for measures that were not. faults: as of `draw`."""
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
    """The measures without an interval of their own."""
    return {name: measure for name, measure in measures.items() if measure.ends is None}


def ranks(drawn: Mapping[str, FloatArray], spec: MetricSpec, level: float = LEVEL) -> dict[str, int]:
    """Each judge's place: 1 and the number of judges that are better beyond noise; places may be shared.

    drawn: a measure of the same resamples of the same items, (samples,) by judge. One is better beyond noise where the
    interval of the paired difference lies on one side of zero.
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
    """Each measure of `samples` resamples of the items: (samples,) by name.

    faults: takes the names of measures that fail, with the reason; they are left out. Raises HarnessError for such a
    measure where None is given.
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
    """Within it, what a measure fails with is noted instead of raised, where there is a place for it."""
    try:
        yield
    except HarnessError as error:
        if faults is None:
            raise
        faults.setdefault(name, error.message)


def resamples(items: int, samples: int, seed: int) -> Iterator[FloatArray]:
    """How often each item is drawn in each of `samples` draws of as many items: (samples, items), in chunks."""
    random = np.random.default_rng(seed)
    together = max(1, min(CHUNK, MAX_NUMBERS // max(items, 1)))
    for start in range(0, samples, together):
        size = min(together, samples - start)
        places = random.integers(0, items, (size, items)) + items * np.arange(size)[:, None]
        yield np.bincount(places.ravel(), minlength=size * items).reshape(size, items).astype(np.float64)


def interval(drawn: FloatArray, value: float | None, level: float = LEVEL) -> Interval | None:
    """The bias-corrected percentile interval around `value` of a measure's resamples; None where there are none."""
    from scipy.special import ndtr, ndtri

    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn) or value is None:
        return None
    below = float(np.mean(drawn < value) + np.mean(drawn == value) / 2)
    # A measure that no resample comes near to, such as the accuracy of a perfect judge, has nothing to be corrected.
    shift = float(ndtri(np.clip(below, 1 / len(drawn), 1 - 1 / len(drawn))))
    tails = ndtr(2 * shift + ndtri([(1 - level) / 2, (1 + level) / 2]))
    low, high = np.quantile(drawn, tails)
    return Interval(float(low), float(high), level)
