"""A metric as a plugin of one file: by how much the model is less, or more, undecided than the people."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness import hookimpl
from judgeharness.plugins.specs import MetricSpec


@hookimpl
def judgeharness_metrics() -> list[MetricSpec]:
    """Tell judgeharness what there is; the function is imported when it is used."""
    return [
        MetricSpec(
            name="entropy-gap",
            summary="absolute difference between the entropies of the human and the model distribution",
            target="entropy_gap:entropy_gap",
            label="Gap",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            level="item",
            source="this file",
        )
    ]


def entropy_gap(human: npt.NDArray[np.float64], model: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(items, labels) twice to (items,)."""
    return np.abs(entropy(human) - entropy(model))


def entropy(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """-sum_j p_j ln p_j for each row, in nats."""
    result: npt.NDArray[np.float64] = -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(axis=1)
    return result
