"""The metrics of ChaosNLI's own evaluation (Nie et al. 2020, section 4), which differ from ours in details.

JSD is the Jensen-Shannon distance with natural logarithms, the same as ours. KL is the relative entropy of the human
distribution from the model's. It is not clipped, so it is infinite if the model gives no probability to a label that
people chose. Accuracies are those of the label that the file gives as predicted.
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
    """The results of ChaosNLI's own evaluation.

    Attributes:
        items: How many items there are.
        js_distance: The mean Jensen-Shannon distance over items.
        kl: The mean KL divergence over items, in nats.
        infinite: How many items have an infinite KL.
        old_accuracy: The accuracy of the predicted label against the source dataset's label.
        new_accuracy: The accuracy of the predicted label against ChaosNLI's majority label.
    """

    items: int
    js_distance: float
    kl: float
    infinite: int
    old_accuracy: float
    new_accuracy: float


def official(human: FloatArray, model: FloatArray, predicted: npt.NDArray[np.int64], right: RightLabels) -> Official:
    """Compute ChaosNLI's results.

    Args:
        human: The human distributions, of shape (items, labels).
        model: The model distributions, of shape (items, labels).
        predicted: The index of each item's predicted label, of shape (items,).
        right: The labels that count as right.
    """
    from scipy.special import rel_entr

    # Rounding can put the divergence of equal distributions below zero.
    kl = np.maximum(rel_entr(human, model).sum(axis=1), 0.0)
    return Official(
        items=len(human),
        js_distance=float(jsd(human, model).mean()),
        kl=float(np.mean(kl)),
        infinite=int(np.isinf(kl).sum()),
        old_accuracy=float(np.mean(predicted == np.array(right.old))),
        new_accuracy=float(np.mean(predicted == np.array(right.majority))),
    )
