"""Kullback-Leibler divergence, in both directions and smoothed."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray

FLOOR = 1e-10
SMOOTHING = 0.01


def kl(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return KL(human || model) = sum_j h_j ln(h_j / m_j) for each item, in nats. Maps two (items, labels) to (items,).

    Both are first clipped to [1e-10, 1] and renormalised, as in the released code of Chen et al. 2024. A label that
    people chose and that the model gives no probability thus costs about 23 nats times its human share, and not
    infinity.
    """
    h = floored(human)
    m = floored(model)
    result: FloatArray = (h * np.log(h / m)).sum(axis=1)
    return result


def kl_reverse(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return KL(model || human) for each item, in nats, clipped as in `kl`. Maps two (items, labels) to (items,)."""
    return kl(model, human)


def kl_torch_mean(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return KL(human || model) / K for each item of K labels, in nats. Maps two (items, labels) to (items,).

    torch's kl_div(reduction="mean") over items and labels gives this value, and the fine-tuning table of Chen et al.
    2024 reports it as KL.
    """
    result: FloatArray = kl(human, model) / human.shape[1]
    return result


def kl_smoothed(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return KL(human || 0.99 model + 0.01 uniform) for each item, in nats. Maps two (items, labels) to (items,).

    The uniform distribution is mixed into the model's (Jelinek and Mercer 1980), which limits the cost of a label
    without probability to ln(100 K) nats for K labels.
    """
    from scipy.special import rel_entr

    mixed = (1 - SMOOTHING) * model + SMOOTHING / model.shape[1]
    result: FloatArray = rel_entr(human, mixed).sum(axis=1)
    return result


def unexpected(human: FloatArray, model: FloatArray) -> int:
    """Return on how many items the model gives less than 1e-10 to a label that people chose."""
    return int(((human > FLOOR) & (model < FLOOR)).any(axis=1).sum())


def floored(p: FloatArray) -> FloatArray:
    """Clip to [1e-10, 1] and renormalise each row."""
    clipped = np.clip(p, FLOOR, 1.0)
    result: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return result
