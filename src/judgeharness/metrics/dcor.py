"""Distance correlation."""

from __future__ import annotations

import math

import numpy as np

from judgeharness.domain import FloatArray


def dcor(human: FloatArray, model: FloatArray) -> float:
    """Distance correlation of two (items, labels) samples, between 0 and 1; 0 where either is constant.

    dCor = sqrt(dCov2(x, y) / sqrt(dCov2(x, x) dCov2(y, y))), dCov2 the mean product of the doubly centred matrices of
    Euclidean distances (Szekely, Rizzo and Bakirov 2007, definitions 4 and 5; the biased V-statistic).
    Time and memory grow with the square of the number of items.
    """
    a = _centred(_distances(human))
    b = _centred(_distances(model))
    spread = float(np.vdot(a, a) * np.vdot(b, b))
    if spread <= 0:
        return 0.0
    return math.sqrt(max(0.0, float(np.vdot(a, b))) / math.sqrt(spread))


def dcor_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """`dcor` of samples in which item i stands counts[b, i] times; (samples, items) to (samples,).

    By dCov2 = S1 + S2 - 2 S3 (the same paper, section 2.3), the means of distances that it is made of being products
    of the weights with matrices that are the same for all samples.
    """
    weights = counts / counts.sum(axis=1, keepdims=True)
    a, b = _distances(human), _distances(model)
    near_a, near_b = weights @ a, weights @ b
    covariance = _covariances(weights, a * b, near_a, near_b)
    spread = _covariances(weights, a * a, near_a, near_a) * _covariances(weights, b * b, near_b, near_b)
    tiny = 1e-24
    squared = np.maximum(covariance, 0.0) / np.sqrt(np.maximum(spread, tiny))
    return np.where(spread <= tiny, 0.0, np.sqrt(np.minimum(squared, 1.0)))


def dcor_interval(human: FloatArray, model: FloatArray, level: float) -> tuple[float, float] | None:
    """Where the distance correlation of the population lies, with confidence `level`; None for fewer than five items.

    `dcor` of a sample is too high, the more so the fewer items there are and the weaker they depend, so that the
    interval may lie below it altogether. It is made of an estimate of the square that is free of this bias (Szekely
    and Rizzo 2013) and its standard error by the jackknife (Efron and Tibshirani 1993, chapter 11).
    """
    from scipy.special import ndtri

    a, b = _distances(human), _distances(model)
    n = len(a)
    if n < 5:
        return None
    if not a.any() or not b.any():
        return 0.0, 0.0
    squared = _unbiased(_covariance(a, b), _covariance(a, a), _covariance(b, b))
    others = _unbiased(_covariance_without_each(a, b), _covariance_without_each(a, a), _covariance_without_each(b, b))
    error = math.sqrt((n - 1) / n * float(((others - others.mean()) ** 2).sum()))
    if not math.isfinite(float(squared) + error):
        return None
    half = float(ndtri((1 + level) / 2)) * error
    low, high = np.sqrt(np.clip([float(squared) - half, float(squared) + half], 0.0, 1.0))
    return float(low), float(high)


def _unbiased(ab: FloatArray, aa: FloatArray, bb: FloatArray) -> FloatArray:
    """The square of distance correlation from the sums below; not a number where a spread is none."""
    spread = aa * bb
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where((aa > 0) & (bb > 0), ab / np.sqrt(np.maximum(spread, 0.0)), np.nan)


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
