"""Kullback-Leibler divergence, in both directions and smoothed."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray

FLOOR = 1e-10
SMOOTHING = 0.01


def kl(human: FloatArray, model: FloatArray) -> FloatArray:
    """KL(human || model) = sum_j h_j ln(h_j / m_j) for each item, in nats; (items, labels) twice to (items,).

    Both are clipped to [1e-10, 1] and renormalised first, as in the released code of Chen et al. 2024: a label that
    people choose and the model gives nothing costs about 23 nats times its human share rather than infinity.
    """
    h = _floored(human)
    m = _floored(model)
    result: FloatArray = (h * np.log(h / m)).sum(axis=1)
    return result


def kl_reverse(human: FloatArray, model: FloatArray) -> FloatArray:
    """KL(model || human), clipped as `kl`; (items, labels) twice to (items,), in nats."""
    return kl(model, human)


def kl_torch_mean(human: FloatArray, model: FloatArray) -> FloatArray:
    """KL(human || model) / K for each item of K labels, in nats; (items, labels) twice to (items,).

    What torch's kl_div(reduction="mean") over items and labels gives, and what the fine-tuning table of Chen et al.
    2024 prints as KL.
    """
    result: FloatArray = kl(human, model) / human.shape[1]
    return result


def kl_smoothed(human: FloatArray, model: FloatArray) -> FloatArray:
    """KL(human || 0.99 model + 0.01 uniform) for each item, in nats; (items, labels) twice to (items,).

    Mixing the uniform distribution into the model's (Jelinek and Mercer 1980) bounds what a label without probability
    costs: ln(100 K) nats for K labels.
    """
    from scipy.special import rel_entr

    mixed = (1 - SMOOTHING) * model + SMOOTHING / model.shape[1]
    result: FloatArray = rel_entr(human, mixed).sum(axis=1)
    return result


def unexpected(human: FloatArray, model: FloatArray) -> int:
    """On how many items the model gives nothing (less than 1e-10) to a label that people chose."""
    return int(((human > FLOOR) & (model < FLOOR)).any(axis=1).sum())


def _floored(p: FloatArray) -> FloatArray:
    clipped = np.clip(p, FLOOR, 1.0)
    result: FloatArray = clipped / clipped.sum(axis=1, keepdims=True)
    return result
