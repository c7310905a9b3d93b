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
