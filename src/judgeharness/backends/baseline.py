"""Baselines: distributions that need no model, for comparison with models."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judgeharness.backends.contract import BackendContext, Description
from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import FloatArray, Item, Label
from judgeharness.plugins.options import NoOptions

FOLDS = 10
SEED = 0


class Baseline:
    """A distribution that needs no model.

    `uniform`, `human` (the human distribution itself), `mean` (people's mean over other items), or a label source of
    the task, such as `mnli-single`.
    """

    def __init__(self, model: str, options: NoOptions, context: BackendContext) -> None:
        self._name = model

    def describe(self) -> Description:
        """Return the baseline's name."""
        return {"backend": "baseline", "name": self._name}

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Return distributions (items, labels). Raises InputError if the task has no such label source."""
        if self._name == "uniform":
            return np.array([[1 / len(item.human)] * len(item.human) for item in items])
        if self._name == "human":
            return np.array([item.human for item in items])
        if self._name == "mean":
            return mean_distribution(np.array([item.human for item in items]))
        lacking = [item for item in items if self._name not in item.references]
        if lacking:
            raise self._error(items, lacking)
        return np.array([item.references[self._name] for item in items])

    def _error(self, items: Sequence[Item], lacking: Sequence[Item]) -> InputError:
        known = sorted({name for item in items for name in item.references})
        if self._name in known:
            return InputError(f"baseline '{self._name}' is missing for {len(lacking)} of {len(items)} items")
        return InputError(
            f"this task has no baseline '{self._name}'", f"it has: {', '.join(['uniform', 'human', 'mean', *known])}"
        )


def mean_distribution(human: FloatArray) -> FloatArray:
    """Return for each item the mean human distribution over other items. Maps (items, labels) to (items, labels).

    The items are dealt into FOLDS folds, and each fold gets the mean of the others. A single item gets the uniform
    distribution.
    """
    n = len(human)
    folds = np.random.default_rng(SEED).permutation(n) % FOLDS
    means = np.full(human.shape, 1 / human.shape[1])
    for fold in range(min(FOLDS, n) if n > 1 else 0):
        means[folds == fold] = human[folds != fold].mean(axis=0)
    return means
