"""Kendall's tau-b, for all items at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def kendall(human: Array, model: Array) -> Array:
    """(items, labels) twice to (items,): concordant minus discordant pairs of labels, over what ties leave of them.

    0 where people or the judge have no order at all, so that no item is without a value.
    """
    first, second = np.triu_indices(human.shape[1], k=1)
    ours = np.sign(human[:, first] - human[:, second])
    theirs = np.sign(model[:, first] - model[:, second])
    pairs = np.sqrt(np.abs(ours).sum(axis=1) * np.abs(theirs).sum(axis=1))
    together = (ours * theirs).sum(axis=1)
    return np.asarray(np.divide(together, pairs, out=np.zeros(len(human)), where=pairs > 0), dtype=np.float64)
