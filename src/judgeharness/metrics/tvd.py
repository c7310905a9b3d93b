"""Total variation distance, and the overlap that it leaves."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray


def tvd(human: FloatArray, model: FloatArray) -> FloatArray:
    """sum_j |h_j - m_j| / 2 for each item, between 0 and 1; (items, labels) twice to (items,)."""
    result: FloatArray = np.abs(human - model).sum(axis=1) / 2
    return result


def soft_accuracy(human: FloatArray, model: FloatArray) -> FloatArray:
    """sum_j min(h_j, m_j) for each item, between 0 and 1; (items, labels) twice to (items,).

    Accuracy with the intersection of fuzzy sets (Kurniawan et al. 2025). For distributions it is 1 - TVD.
    """
    result: FloatArray = np.minimum(human, model).sum(axis=1)
    return result


def soft_micro_f1(human: FloatArray, model: FloatArray) -> float:
    """2 sum min(h, m) / sum (h + m) over items and labels (Kurniawan et al. 2025); (items, labels) twice to a number.

    For distributions it equals the mean of `soft_accuracy`, as micro-F1 equals accuracy for single labels.
    """
    return float(2 * np.minimum(human, model).sum() / (human + model).sum())
