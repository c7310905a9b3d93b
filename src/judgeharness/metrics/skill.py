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
Resampled = Callable[[FloatArray, FloatArray, FloatArray], FloatArray]


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


def _skill(distance: Distance) -> tuple[Callable[[FloatArray, FloatArray], float], Resampled]:
    """Return the skill in a distance, and its form for many samples (`skill_resampled`)."""

    def resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
        return skill_resampled(distance, human, model, counts)

    def skill(human: FloatArray, model: FloatArray) -> float:
        return float(resampled(human, model, np.ones((1, len(human))))[0])

    return skill, resampled


kl_skill, kl_skill_resampled = _skill(kl)
jsd_skill, jsd_skill_resampled = _skill(jsd)
# A hundred times the skill in TVD is the score of SimBench (Hu et al. 2025).
tvd_skill, tvd_skill_resampled = _skill(tvd)
brier_skill, brier_skill_resampled = _skill(brier)
