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
    a = _centred_distances(human)
    b = _centred_distances(model)
    spread = float(np.vdot(a, a) * np.vdot(b, b))
    if spread <= 0:
        return 0.0
    return math.sqrt(max(0.0, float(np.vdot(a, b))) / math.sqrt(spread))


def _centred_distances(sample: FloatArray) -> FloatArray:
    from scipy.spatial.distance import pdist, squareform

    d = squareform(pdist(sample))
    # Rows that are equal up to rounding count as equal, or a constant would correlate by its last digits.
    d[d < 1e-12] = 0.0
    d -= d.mean(axis=0, keepdims=True)
    d -= d.mean(axis=1, keepdims=True)
    return d
