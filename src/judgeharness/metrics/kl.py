"""Kullback-Leibler divergence."""

from __future__ import annotations

import numpy as np

from judgeharness.domain import FloatArray

FLOOR = 1e-10


def kl(human: FloatArray, model: FloatArray) -> FloatArray:
    """KL(human || model) = sum_j h_j ln(h_j / m_j) for each item, in nats; (items, labels) twice to (items,).

    Both are clipped to [1e-10, 1] and renormalised first, as in the released code of Chen et al. 2024: a label that
    people choose and the model gives nothing costs about 23 nats times its human share rather than infinity.
    """
    h = _floored(human)
    m = _floored(model)
    result: FloatArray = (h * np.log(h / m)).sum(axis=1)
    return result


def _floored(p: FloatArray) -> FloatArray:
    clipped = np.clip(p, FLOOR, 1.0)
    result: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return result
