"""Whether two distributions rank the labels alike."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray


def rank_consistency(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return 1 if the model ranks all labels of an item as people do, else 0. Maps two (items, labels) to (items,).

    This is RankCS of Baan et al. 2022. Equally probable labels keep the task's order.
    """
    same: FloatArray = (_ranking(human) == _ranking(model)).all(axis=1).astype(np.float64)
    return same


def _ranking(rows: FloatArray) -> npt.NDArray[np.intp]:
    return np.argsort(-rows, axis=1, kind="stable")
