"""Distance correlation.

Pairs of items are what it is made of, and there are as many of them as the square of the number of items. Up to WHOLE
items all pairs are taken. Of more, the items are dealt at random into blocks, and the pairs within blocks stand for
all: the averages that distance covariance is made of are estimated from them without bias, and put together.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray

WHOLE = 2_000
BLOCK = 1_000
SEED = 0
TINY = 1e-24


def dcor(human: FloatArray, model: FloatArray) -> float:
    """Distance correlation of two (items, labels) samples, between 0 and 1; 0 where either is constant.

    dCor = sqrt(dCov2(x, y) / sqrt(dCov2(x, x) dCov2(y, y))), dCov2 the mean product of the doubly centred matrices of
    Euclidean distances (Szekely, Rizzo and Bakirov 2007, definitions 4 and 5; the biased V-statistic). For more than
    WHOLE items estimated in blocks: time grows with the number of items then, and memory does not.
    """
    if len(human) > WHOLE:
        both, first, second = _in_blocks(human, model)
    else:
        a, b = _centred(_distances(human)), _centred(_distances(model))
        both, first, second = float(np.vdot(a, b)), float(np.vdot(a, a)), float(np.vdot(b, b))
    spread = first * second
    return 0.0 if spread <= 0 else min(1.0, math.sqrt(max(0.0, both) / math.sqrt(spread)))


def dcor_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """`dcor` of samples in which item i stands counts[b, i] times; (samples, items) to (samples,).

    By dCov2 = S1 + S2 - 2 S3 (the same paper, section 2.3), the means of distances that it is made of being products
    of the weights with matrices that are the same for all samples. In blocks, what those of the sample itself differ by
    from `dcor` is taken off.
    """
    if len(human) <= WHOLE:
        return _correlation(*_weighted(human, model, counts))
    parts = np.zeros((3, len(counts)))
    own = np.zeros(3)
    for block in _blocks(len(human)):
        within = counts[:, block]
        share = within.sum(axis=1) / counts.sum(axis=1)
        parts += share * np.array(_weighted(human[block], model[block], within))
        ones = np.ones((1, len(block)))
        own += len(block) / len(human) * np.array(_weighted(human[block], model[block], ones))[:, 0]
    shift = np.array(_in_blocks(human, model)) - own
    return _correlation(*(parts + shift[:, None]))


def dcor_interval(human: FloatArray, model: FloatArray, level: float) -> tuple[float, float] | None:
    """Where the distance correlation of the population lies, with confidence `level`; None for fewer than five items.

    `dcor` of a sample is too high, the more so the fewer items there are and the weaker they depend, so that the
    interval may lie below it altogether. It is made of an estimate of the square that is free of this bias (Szekely
    and Rizzo 2013) and its standard error by the jackknife (Efron and Tibshirani 1993, chapter 11).
    """
    from scipy.special import ndtri

    n = len(human)
    if n < 5:
        return None
    found = [_Unbiased.of(human[block], model[block]) for block in _blocks(n)]
    if not all(any(each.spreads[place] for each in found) for place in (0, 1)):
        return 0.0, 0.0
    shares = np.array([each.size for each in found]) / n
    means = sum(share * each.whole for share, each in zip(shares, found, strict=True))
    squared = _square(means)
    # Without one item, only the block that it is in has another covariance.
    others = np.concatenate(
        [
            _square(means[:, None] + share * (each.without_each - each.whole[:, None]))
            for share, each in zip(shares, found, strict=True)
        ]
    )
    error = math.sqrt((n - 1) / n * float(((others - others.mean()) ** 2).sum()))
    if not math.isfinite(float(squared) + error):
        return None
    half = float(ndtri((1 + level) / 2)) * error
    low, high = np.sqrt(np.clip([float(squared) - half, float(squared) + half], 0.0, 1.0))
    return float(low), float(high)


def _blocks(n: int) -> Iterator[npt.NDArray[np.int64]]:
    """The items in blocks of equal size, dealt at random but for one that holds all; the same ones every time."""
    if n <= WHOLE:
        yield np.arange(n)
        return
    yield from np.array_split(np.random.default_rng(SEED).permutation(n), -(-n // BLOCK))


def _in_blocks(human: FloatArray, model: FloatArray) -> tuple[float, float, float]:
    """dCov2 of both samples, and of each with itself, of all items as estimated from pairs within blocks.

    As V-statistics of n items they consist of averages over pairs that share both items, one, or none.
    """
    n = len(human)
    sums = np.zeros((3, 3))
    for block in _blocks(n):
        a, b = _distances(human[block]), _distances(model[block])
        sums += len(block) / n * np.array([_averages(a, b), _averages(a, a), _averages(b, b)])
    both, one, none = sums.T
    s1 = (n - 1) / n * both
    s2 = (n - 1) / n**3 * (2 * both + 4 * (n - 2) * one + (n - 2) * (n - 3) * none)
    s3 = (n - 1) / n**2 * (both + (n - 2) * one)
    found = s1 + s2 - 2 * s3
    return float(found[0]), float(found[1]), float(found[2])


def _averages(a: FloatArray, b: FloatArray) -> tuple[float, float, float]:
    """The mean of a_ij b_kl over different i and j, k and l that are the same pair, share one item, or none."""
    m, rows_a, rows_b = len(a), a.sum(axis=0), b.sum(axis=0)
    same, shared, whole = float(np.vdot(a, b)), float(rows_a @ rows_b), float(rows_a.sum() * rows_b.sum())
    pairs = m * (m - 1)
    return (
        same / pairs,
        (shared - same) / (pairs * (m - 2)),
        (whole - 4 * shared + 2 * same) / (pairs * (m - 2) * (m - 3)),
    )


@dataclass(frozen=True, slots=True)
class _Unbiased:
    """Unbiased dCov2 of x and y, x and x, y and y in a block, (3,), and without each of its items, (3, size).

    spreads: whether x and y vary at all.
    """

    size: int
    whole: FloatArray
    without_each: FloatArray
    spreads: tuple[bool, bool]

    @classmethod
    def of(cls, human: FloatArray, model: FloatArray) -> _Unbiased:
        a, b = _distances(human), _distances(model)
        m, pairs = len(a), ((a, b), (a, a), (b, b))
        return cls(
            m,
            np.array([_covariance(*pair) for pair in pairs]) / (m * (m - 3)),
            np.array([_covariance_without_each(*pair) for pair in pairs]) / ((m - 1) * (m - 4)),
            (bool(a.any()), bool(b.any())),
        )


def _square(covariances: FloatArray) -> FloatArray:
    """The square of distance correlation from the covariances (3, ...); not a number where a spread is none."""
    ab, aa, bb = covariances
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((aa > 0) & (bb > 0), ab / np.sqrt(np.maximum(aa * bb, 0.0)), np.nan)


def _covariance(a: FloatArray, b: FloatArray) -> FloatArray:
    """The unbiased dCov2 times n (n - 3): Szekely and Rizzo 2014, equation 2.5, written as sums; a number ()."""
    n, rows_a, rows_b = len(a), a.sum(axis=0), b.sum(axis=0)
    whole = rows_a.sum() * rows_b.sum()
    return np.asarray(np.vdot(a, b) - 2 / (n - 2) * (rows_a @ rows_b) + whole / ((n - 1) * (n - 2)))


def _covariance_without_each(a: FloatArray, b: FloatArray) -> FloatArray:
    """`_covariance` of the items without the first, without the second, ...; (items,)."""
    n, rows_a, rows_b = len(a) - 1, a.sum(axis=0), b.sum(axis=0)
    products = (a * b).sum(axis=0)
    first = products.sum() - 2 * products
    second = (rows_a.sum() - 2 * rows_a) * (rows_b.sum() - 2 * rows_b)
    third = rows_a @ rows_b - rows_a * rows_b - a @ rows_b - b @ rows_a + products
    result: FloatArray = first - 2 / (n - 2) * third + second / ((n - 1) * (n - 2))
    return result


def _weighted(human: FloatArray, model: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """dCov2 of both samples, and of each with itself, for each row of counts."""
    weights = counts / counts.sum(axis=1, keepdims=True)
    a, b = _distances(human), _distances(model)
    near_a, near_b = weights @ a, weights @ b
    return (
        _covariances(weights, a * b, near_a, near_b),
        _covariances(weights, a * a, near_a, near_a),
        _covariances(weights, b * b, near_b, near_b),
    )


def _correlation(both: FloatArray, first: FloatArray, second: FloatArray) -> FloatArray:
    spread = first * second
    squared = np.maximum(both, 0.0) / np.sqrt(np.maximum(spread, TINY))
    return np.where(spread <= TINY, 0.0, np.sqrt(np.minimum(squared, 1.0)))


def _covariances(weights: FloatArray, product: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    """dCov2 of each weighted sample. product: of the two distance matrices. left, right: weights times each of them."""
    first = ((weights @ product) * weights).sum(axis=1)
    second = (left * weights).sum(axis=1) * (right * weights).sum(axis=1)
    third = (left * right * weights).sum(axis=1)
    result: FloatArray = first + second - 2 * third
    return result


def _distances(sample: FloatArray) -> FloatArray:
    from scipy.spatial.distance import pdist, squareform

    d: FloatArray = squareform(pdist(sample))
    # Rows that are equal up to rounding count as equal, or a constant would correlate by its last digits.
    d[d < 1e-12] = 0.0
    return d


def _centred(d: FloatArray) -> FloatArray:
    d -= d.mean(axis=0, keepdims=True)
    d -= d.mean(axis=1, keepdims=True)
    return d
