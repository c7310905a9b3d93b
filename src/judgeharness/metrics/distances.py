"""Other distances between distributions."""

from __future__ import annotations

import math

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.kl import FLOOR


def hellinger(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sqrt(sum_j (sqrt h_j - sqrt m_j)^2 / 2) for each item, between 0 and 1.

    Maps two (items, labels) to (items,). Source: Hellinger 1909, in the form of Le Cam.
    """
    gaps = np.sqrt(human) - np.sqrt(model)
    result: FloatArray = np.sqrt((gaps**2).sum(axis=1)) / math.sqrt(2)
    return result


def wasserstein(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sum_j |H_j - M_j| over the cumulative distributions. Maps two (items, labels) to (items,).

    This is the earth mover's distance if neighbouring labels are 1 apart (Vallender 1974), between 0 and K - 1. It
    applies only to ordered labels.
    """
    result: FloatArray = np.abs(np.cumsum(human - model, axis=1)[:, :-1]).sum(axis=1)
    return result


def brier(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sum_j (h_j - m_j)^2 for each item, between 0 and 2. Maps two (items, labels) to (items,).

    This is the score of Brier 1950 with people's shares in place of the outcome.
    """
    result: FloatArray = ((human - model) ** 2).sum(axis=1)
    return result


def cross_entropy(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return -sum_j h_j ln m_j for each item, in nats, with m of at least 1e-10. Maps two (items, labels) to (items,).

    Apart from the clipping, this is KL plus the human entropy.
    """
    result: FloatArray = -(human * np.log(np.maximum(model, FLOOR))).sum(axis=1)
    return result
