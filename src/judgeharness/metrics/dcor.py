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


def dcor_squared(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return the squared distance correlation, estimated without bias: on all items, then without each of them.

    Maps two samples (items, labels) to (1 + items,). Values may be below zero. They are NaN for fewer than five items
    and 0 if either sample is constant. Source: Szekely and Rizzo 2013, with the jackknife of Efron and Tibshirani 1993,
    chapter 11.
    """
    n = len(human)
    if n < 5:
        return np.full(n + 1, np.nan)
    blocks = list(_blocks(human, model))
    found = [_Unbiased.of(human[block], model[block]) for block in blocks]
    if not all(any(each.spreads[place] for each in found) for place in (0, 1)):
        return np.zeros(n + 1)
    shares = [each.size / n for each in found]
    means = np.sum([share * each.whole for share, each in zip(shares, found, strict=True)], axis=0)
    squares = np.empty(n + 1)
    squares[0] = _square(means)
    for block, share, each in zip(blocks, shares, found, strict=True):
        # Without one item, only the covariance of the block that contains it changes.
        squares[1 + block] = _square(means[:, None] + share * (each.without_each - each.whole[:, None]))
    return squares


def _blocks(human: FloatArray, model: FloatArray) -> Iterator[npt.NDArray[np.intp]]:
    """Yield the items in blocks of equal size, always the same random ones. Up to WHOLE items form a single block.

    The blocks depend on what the items are, and not on their order.
    """
    n = len(human)
    if n <= WHOLE:
        yield np.arange(n)
        return
    in_order = np.lexsort((*model.T, *human.T))
    yield from np.array_split(in_order[np.random.default_rng(SEED).permutation(n)], -(-n // BLOCK))


def _in_blocks(human: FloatArray, model: FloatArray) -> tuple[float, float, float]:
    """Estimate dCov2 of both samples, and of each with itself, over all items from pairs within blocks.

    As V-statistics of n items, these consist of averages over two pairs that share both items, one item, or none.
    """
    n = len(human)
    sums = np.zeros((3, 3))
    for block in _blocks(human, model):
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
