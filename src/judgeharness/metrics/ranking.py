"""Whether labels stand in the same order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray


def rank_consistency(human: FloatArray, model: FloatArray) -> FloatArray:
    """1 where the model ranks all labels as people do, else 0, for each item; (items, labels) twice to (items,).

    RankCS of Baan et al. 2022. Labels that are equally probable keep the task's order.
    """
    same: FloatArray = (_ranking(human) == _ranking(model)).all(axis=1).astype(np.float64)
    return same


def _ranking(rows: FloatArray) -> npt.NDArray[np.intp]:
    return np.argsort(-rows, axis=1, kind="stable")
