"""How undecided people are, and whether the model is as much."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray


def entropies(rows: FloatArray) -> FloatArray:
    """-sum_j p_j ln p_j of each row, in nats (Shannon 1948); (items, labels) to (items,)."""
    from scipy.special import entr

    result: FloatArray = entr(rows).sum(axis=1)
    return result


def entropy_calibration(human: FloatArray, model: FloatArray) -> FloatArray:
    """H(m) - H(h) for each item, in nats; (items, labels) twice to (items,).

    EntCE of Baan et al. 2022: above zero where the model is less decided than people are.
    """
    return entropies(model) - entropies(human)


def entropy_error(human: FloatArray, model: FloatArray) -> FloatArray:
    """|H(m) - H(h)| for each item, in nats; (items, labels) twice to (items,)."""
    return np.abs(entropy_calibration(human, model))


def entropy_correlation(human: FloatArray, model: FloatArray) -> float:
    """Pearson's correlation of human and model entropies over the items; not a number where either is constant."""
    return float(entropy_correlation_resampled(human, model, np.ones((1, len(human))))[0])


def entropy_correlation_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """`entropy_correlation` of samples in which item i stands counts[b, i] times; (samples, items) to (samples,)."""
    x, y = entropies(human), entropies(model)
    # Centred first: the moments of nearly equal numbers would lose all their digits.
    x, y = x - x.mean(), y - y.mean()
    n = counts.sum(axis=1)
    mean_x, mean_y = counts @ x / n, counts @ y / n
    covariance = counts @ (x * y) / n - mean_x * mean_y
    spread_x, spread_y = counts @ (x * x) / n - mean_x**2, counts @ (y * y) / n - mean_y**2
    tiny = 1e-14
    constant = (spread_x <= tiny) | (spread_y <= tiny)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = covariance / np.sqrt(spread_x * spread_y)
    return np.where(constant, np.nan, np.clip(found, -1.0, 1.0))
