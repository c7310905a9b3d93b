"""Total variation distance."""

from __future__ import annotations

import numpy as np

from judgeharness.domain import FloatArray


def tvd(human: FloatArray, model: FloatArray) -> FloatArray:
    """sum_j |h_j - m_j| / 2 for each item, between 0 and 1; (items, labels) twice to (items,)."""
    result: FloatArray = np.abs(human - model).sum(axis=1) / 2
    return result
