"""Measures against the distribution that the votes were drawn from, and not against the votes themselves.

A distribution of few votes lies further from a judge than the distribution behind it. These measures are corrected for
that. They take votes, counts of shape (items, labels).
"""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.dirichlet import fitted
from judgeharness.metrics.kl import FLOOR, floored


def brier_debiased(votes: FloatArray, model: FloatArray) -> FloatArray:
    """Return sum_j (p_j - m_j)^2 for each item, estimated without bias. Maps (items, labels) twice to (items,).

    The squares of shares are too large by p_j (1 - p_j) / n on average, which h_j (1 - h_j) / (n - 1) estimates without
    bias. Single items may be below zero. An item with a single vote has no value.
    """
    n = votes.sum(axis=1, keepdims=True)
    shares = votes / n
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = ((shares - model) ** 2 - shares * (1 - shares) / (n - 1)).sum(axis=1)
    return np.where(n[:, 0] > 1, found, np.nan)


def kl_debiased(votes: FloatArray, model: FloatArray) -> FloatArray:
    """Return KL(p || model) for each item, in nats. Maps (items, labels) twice to (items,).

    KL is the cross-entropy, which votes estimate without bias, minus the entropy of p, which they estimate too low. The
    entropy is the expected one under a Dirichlet-multinomial model of all items. Only the mean over items is corrected:
    single items may be below zero.
    """
    model_of_votes = fitted(votes)
    if model_of_votes is None:
        return np.full(len(votes), np.nan)
    shares = votes / votes.sum(axis=1, keepdims=True)
    crossed = -(shares * np.log(floored(np.maximum(model, FLOOR)))).sum(axis=1)
    found: FloatArray = crossed - model_of_votes.entropy_parts(votes)
    return found
