"""How much people disagree, and whether the model is as uncertain."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray


def entropies(rows: FloatArray) -> FloatArray:
    """Return -sum_j p_j ln p_j of each row, in nats (Shannon 1948). Maps (items, labels) to (items,)."""
    from scipy.special import entr

    result: FloatArray = entr(rows).sum(axis=1)
    return result


def entropy_calibration(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return H(m) - H(h) for each item, in nats. Maps two (items, labels) to (items,).

    This is EntCE of Baan et al. 2022. It is positive if the model is less certain than people are.
    """
    return entropies(model) - entropies(human)


def entropy_error(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return |H(m) - H(h)| for each item, in nats. Maps two (items, labels) to (items,)."""
    return np.abs(entropy_calibration(human, model))


def entropy_correlation(human: FloatArray, model: FloatArray) -> float:
    """Return Pearson's correlation of human and model entropies over the items. It is NaN if either is constant."""
    return float(entropy_correlation_resampled(human, model, np.ones((1, len(human))))[0])


def entropy_correlation_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `entropy_correlation` of samples that contain item i counts[b, i] times.

    Maps (samples, items) to (samples,).
    """
    x, y = entropies(human), entropies(model)
    # The values are centred first, because the moments of nearly equal numbers would lose all their digits.
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
