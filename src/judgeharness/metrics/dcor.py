"""Distance correlation.

It is computed from all pairs of items, whose number grows with the square of the number of items. Up to WHOLE items,
all pairs are used. More items are divided at random into blocks, and only pairs within blocks are used. The averages
that distance covariance consists of are estimated from these pairs without bias.
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
    """Return the distance correlation of two samples (items, labels). It is 0 if either is constant, and at most 1.

    dCor = sqrt(dCov2(x, y) / sqrt(dCov2(x, x) dCov2(y, y))), where dCov2 is the mean product of the doubly centred
    matrices of Euclidean distances (Szekely, Rizzo and Bakirov 2007, definitions 4 and 5; the biased V-statistic).
    Above WHOLE items it is estimated in blocks, so that time grows linearly with the number of items, and memory does
    not grow.
    """
    if len(human) > WHOLE:
        both, first, second = _in_blocks(human, model)
    else:
        a, b = _centred(_distances(human)), _centred(_distances(model))
        both, first, second = float(np.vdot(a, b)), float(np.vdot(a, a)), float(np.vdot(b, b))
    spread = first * second
    return 0.0 if spread <= 0 else min(1.0, math.sqrt(max(0.0, both) / math.sqrt(spread)))


def dcor_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `dcor` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,).

    This uses dCov2 = S1 + S2 - 2 S3 (the same paper, section 2.3). The means of distances in it are products of the
    weights with matrices that all samples share. In blocks, the result is shifted by the difference between `dcor` and
    this value for the sample itself.
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
    """Return the confidence interval of the population's distance correlation, or None for fewer than five items.

    `dcor` of a sample is biased upwards, all the more if there are few items or the dependence is weak. The interval
    may therefore lie entirely below it. It is based on an unbiased estimate of the square (Szekely and Rizzo 2013) and
    on the standard error of this estimate by the jackknife (Efron and Tibshirani 1993, chapter 11).
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
    # Without one item, only the covariance of the block that contains it changes.
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
    """Yield the items in blocks of equal size, always the same random ones. Up to WHOLE items form a single block."""
    if n <= WHOLE:
        yield np.arange(n)
        return
    yield from np.array_split(np.random.default_rng(SEED).permutation(n), -(-n // BLOCK))


def _in_blocks(human: FloatArray, model: FloatArray) -> tuple[float, float, float]:
    """Estimate dCov2 of both samples, and of each with itself, over all items from pairs within blocks.

    As V-statistics of n items, these consist of averages over two pairs that share both items, one item, or none.
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
    """Return the means of a_ij b_kl (i != j, k != l) over pairs ij and kl that share both items, one item, or none."""
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
    """Unbiased dCov2 in a block, of x with y, x with x, and y with y.

    Attributes:
        size: How many items the block has.
        whole: The three values, of shape (3,).
        without_each: The values without each of the items, of shape (3, size).
        spreads: Whether x and y vary at all.
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
    """Return the squared distance correlation from covariances (3, ...). It is NaN if x or y does not vary."""
    ab, aa, bb = covariances
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((aa > 0) & (bb > 0), ab / np.sqrt(np.maximum(aa * bb, 0.0)), np.nan)


def _covariance(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return the unbiased dCov2 times n (n - 3), as an array of shape ().

    This is equation 2.5 of Szekely and Rizzo 2014, written as sums.
    """
    n, rows_a, rows_b = len(a), a.sum(axis=0), b.sum(axis=0)
    whole = rows_a.sum() * rows_b.sum()
    return np.asarray(np.vdot(a, b) - 2 / (n - 2) * (rows_a @ rows_b) + whole / ((n - 1) * (n - 2)))


def _covariance_without_each(a: FloatArray, b: FloatArray) -> FloatArray:
    """Return `_covariance` of the items without the first, without the second, and so on, of shape (items,)."""
    n, rows_a, rows_b = len(a) - 1, a.sum(axis=0), b.sum(axis=0)
    products = (a * b).sum(axis=0)
    first = products.sum() - 2 * products
    second = (rows_a.sum() - 2 * rows_a) * (rows_b.sum() - 2 * rows_b)
    third = rows_a @ rows_b - rows_a * rows_b - a @ rows_b - b @ rows_a + products
    result: FloatArray = first - 2 / (n - 2) * third + second / ((n - 1) * (n - 2))
    return result


def _weighted(human: FloatArray, model: FloatArray, counts: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return dCov2 of both samples, and of each with itself, for each row of counts."""
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
    """Return dCov2 of each weighted sample.

    Args:
        weights: The weights of the items, of shape (samples, items).
        product: The product of the two distance matrices, element by element.
        left: The weights times the first distance matrix.
        right: The weights times the second distance matrix.
    """
    first = ((weights @ product) * weights).sum(axis=1)
    second = (left * weights).sum(axis=1) * (right * weights).sum(axis=1)
    third = (left * right * weights).sum(axis=1)
    result: FloatArray = first + second - 2 * third
    return result


def _distances(sample: FloatArray) -> FloatArray:
    from scipy.spatial.distance import pdist, squareform

    d: FloatArray = squareform(pdist(sample))
    # Rows that are equal up to rounding count as equal. Otherwise a constant would correlate through its last digits.
    d[d < 1e-12] = 0.0
    return d


def _centred(d: FloatArray) -> FloatArray:
    d -= d.mean(axis=0, keepdims=True)
    d -= d.mean(axis=1, keepdims=True)
    return d
