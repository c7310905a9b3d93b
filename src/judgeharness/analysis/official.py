"""The figures that ChaosNLI's own evaluation gives (Nie et al. 2020, section 4), from which ours differ in details.

JSD is the Jensen-Shannon distance, natural log: the same as ours. KL is the relative entropy of the human distribution
from the model's, not clipped: infinite where the model gives nothing to a label that people chose. Accuracies are of
the label that a file says was predicted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.jsd import jsd
from judgeharness.tasks.official import RightLabels


@dataclass(frozen=True, slots=True)
class Official:
    """js_distance, kl: means over items, in nats. infinite: on how many items KL is.

    old_accuracy: of the predicted label against the source dataset's; new_accuracy: against ChaosNLI's majority.
    """

    items: int
    js_distance: float
    kl: float
    infinite: int
    old_accuracy: float
    new_accuracy: float


def official(human: FloatArray, model: FloatArray, predicted: npt.NDArray[np.int64], right: RightLabels) -> Official:
    """human, model: (items, labels). predicted: the index of each item's label (items,)."""
    from scipy.special import rel_entr

    # Equal distributions differ by rounding, to below zero.
    kl = np.maximum(rel_entr(human, model).sum(axis=1), 0.0)
    return Official(
        items=len(human),
        js_distance=float(jsd(human, model).mean()),
        kl=float(np.mean(kl)),
        infinite=int(np.isinf(kl).sum()),
        old_accuracy=float(np.mean(predicted == np.array(right.old))),
        new_accuracy=float(np.mean(predicted == np.array(right.majority))),
    )
