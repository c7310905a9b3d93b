"""Total variation distance, and its complement, the overlap."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray


def tvd(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sum_j |h_j - m_j| / 2 for each item, between 0 and 1. Maps two (items, labels) to (items,)."""
    result: FloatArray = np.abs(human - model).sum(axis=1) / 2
    return result


def soft_accuracy(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sum_j min(h_j, m_j) for each item, between 0 and 1. Maps two (items, labels) to (items,).

    This is accuracy with the intersection of fuzzy sets (Kurniawan et al. 2025). For distributions it is 1 - TVD.
    """
    result: FloatArray = np.minimum(human, model).sum(axis=1)
    return result


def soft_micro_f1(human: FloatArray, model: FloatArray) -> float:
    """Return 2 sum min(h, m) / sum (h + m) over items and labels (Kurniawan et al. 2025). Takes two (items, labels).

    For distributions this equals the mean of `soft_accuracy`, as micro-F1 equals accuracy for single labels.
    """
    return float(2 * np.minimum(human, model).sum() / (human + model).sum())
