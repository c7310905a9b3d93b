"""Other distances between distributions."""

from __future__ import annotations

import math

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.kl import FLOOR


def hellinger(human: FloatArray, model: FloatArray) -> FloatArray:
    """sqrt(sum_j (sqrt h_j - sqrt m_j)^2 / 2) for each item, between 0 and 1; (items, labels) twice to (items,).

    Hellinger 1909; the form of Le Cam.
    """
    gaps = np.sqrt(human) - np.sqrt(model)
    result: FloatArray = np.sqrt((gaps**2).sum(axis=1)) / math.sqrt(2)
    return result


def wasserstein(human: FloatArray, model: FloatArray) -> FloatArray:
    """sum_j |H_j - M_j| over the cumulative distributions; (items, labels) twice to (items,).

    The earth mover's distance with neighbouring labels 1 apart (Vallender 1974), between 0 and K - 1. For labels with
    an order only.
    """
    result: FloatArray = np.abs(np.cumsum(human - model, axis=1)[:, :-1]).sum(axis=1)
    return result


def cross_entropy(human: FloatArray, model: FloatArray) -> FloatArray:
    """-sum_j h_j ln m_j for each item, m clipped to 1e-10 from below, in nats; (items, labels) twice to (items,).

    KL plus the human entropy, but for the clipping.
    """
    result: FloatArray = -(human * np.log(np.maximum(model, FLOOR))).sum(axis=1)
    return result
