"""A metric: how far the model's entropy is from that of the human label distribution."""

from __future__ import annotations

import numpy as np

from judgeharness.plugin import FloatArray, MetricSpec, hookimpl


@hookimpl
def judgeharness_metrics() -> list[MetricSpec]:
    """Return the metrics of this plugin."""
    return [
        MetricSpec(
            name="entropy-gap",
            summary="absolute difference between the entropies of the human and the model distribution",
            target=f"{__name__}:entropy_gap",
            label="Gap",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            level="item",
            source="this file",
        )
    ]


def entropy_gap(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return a value for each item. Both arguments have the shape (items, labels)."""
    return np.abs(entropy(human) - entropy(model))


def entropy(rows: FloatArray) -> FloatArray:
    """Return the entropy of each row, in nats."""
    return np.asarray(-(rows * np.log(np.where(rows > 0, rows, 1))).sum(axis=1), dtype=np.float64)
