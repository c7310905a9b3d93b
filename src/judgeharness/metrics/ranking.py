"""Whether two distributions rank the labels alike. Ties count by their share, never by the order of the labels."""

from __future__ import annotations

import math

import numpy as np

from judgeharness.domain.nouns import FloatArray

_FACTORIALS = np.array([math.factorial(n) for n in range(27)], dtype=np.float64)


def rank_consistency(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return 1 if the model ranks all labels of an item as people do, else 0. Maps two (items, labels) to (items,).

    This is RankCS of Baan et al. 2022. Where labels are equally probable, the value is the probability that both
    rankings are the same if such labels are put in random order: 1 / K! for a uniform model and people without ties.
    """
    below_h, below_m = _below(human), _below(model)
    reversed_pairs = (below_h & below_m.transpose(0, 2, 1)).any(axis=(1, 2))
    tied_h, tied_m = (~below & ~below.transpose(0, 2, 1) for below in (below_h, below_m))
    shares = _orders(tied_h & tied_m) / _orders(tied_h) / _orders(tied_m)
    return np.where(reversed_pairs, 0.0, shares)


def spearman(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return Spearman's correlation over the labels of each item. Maps two (items, labels) to (items,).

    Tied labels share their mean rank. It is 0 if either distribution is uniform.
    """
    from scipy.stats import rankdata

    x, y = (rankdata(rows, axis=1) - (rows.shape[1] + 1) / 2 for rows in (human, model))
    spread = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (x * y).sum(axis=1) / spread
    return np.where(spread > 0, np.clip(found, -1.0, 1.0), 0.0)


def tops(rows: FloatArray) -> FloatArray:
    """Return the share of each label in the first place, which tied labels divide among them.

    Maps (items, labels) to (items, labels).
    """
    first = (rows >= rows.max(axis=1, keepdims=True)).astype(np.float64)
    found: FloatArray = first / first.sum(axis=1, keepdims=True)
    return found


def _below(rows: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return for each item which label is less probable than which: (items, labels, labels)."""
    return rows[:, :, None] < rows[:, None, :]


def _orders(tied: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> FloatArray:
    """Return in how many orders the tied labels of each item can stand. Maps (items, labels, labels) to (items,)."""
    sizes = tied.sum(axis=2)
    # A block of s tied labels appears s times, and has s! orders.
    found: FloatArray = np.exp((np.log(_FACTORIALS[sizes]) / sizes).sum(axis=1))
    return found
