"""How much nearer to people a judge is than the uniform distribution, as a share of the uniform one's distance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.distances import brier
from judgeharness.metrics.jsd import jsd
from judgeharness.metrics.kl import kl
from judgeharness.metrics.tvd import tvd

Distance = Callable[[FloatArray, FloatArray], FloatArray]


def kl_skill(human: FloatArray, model: FloatArray) -> float:
    """Return the skill in KL, as `skill_resampled` computes it. Takes two (items, labels)."""
    return float(kl_skill_resampled(human, model, np.ones((1, len(human))))[0])


def kl_skill_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `kl_skill` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    return skill_resampled(kl, human, model, counts)


def jsd_skill(human: FloatArray, model: FloatArray) -> float:
    """Return the skill in JSD, as `skill_resampled` computes it. Takes two (items, labels)."""
    return float(jsd_skill_resampled(human, model, np.ones((1, len(human))))[0])


def jsd_skill_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `jsd_skill` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    return skill_resampled(jsd, human, model, counts)


def tvd_skill(human: FloatArray, model: FloatArray) -> float:
    """Return the skill in TVD, as `skill_resampled` computes it. Takes two (items, labels).

    A hundred times this value is the score of SimBench (Hu et al. 2025).
    """
    return float(tvd_skill_resampled(human, model, np.ones((1, len(human))))[0])


def tvd_skill_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `tvd_skill` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    return skill_resampled(tvd, human, model, counts)


def brier_skill(human: FloatArray, model: FloatArray) -> float:
    """Return the skill in the Brier score, as `skill_resampled` computes it. Takes two (items, labels)."""
    return float(brier_skill_resampled(human, model, np.ones((1, len(human))))[0])


def brier_skill_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `brier_skill` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    return skill_resampled(brier, human, model, counts)


def skill_resampled(distance: Distance, human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return 1 - mean distance of the model / mean distance of the uniform distribution, for each sample (samples,).

    It is 1 for a judge without any distance, 0 for one that is as far as the uniform one, and below 0 for one that is
    farther. It is NaN if people are uniform on all items. Source: Murphy 1988, with the uniform distribution as
    reference.
    """
    uniform = counts @ distance(human, np.full(human.shape, 1 / human.shape[1]))
    with np.errstate(divide="ignore", invalid="ignore"):
        found: FloatArray = 1 - counts @ distance(human, model) / uniform
    return np.where(uniform > 0, found, np.nan)
