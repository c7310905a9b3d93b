"""The data of plots: the distributions of stored runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import FloatArray, Item
from judgeharness.store.runs import Run, Runs, StoredTask


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A run's items that have a distribution. `human` and `model` have the shape (items, labels)."""

    name: str
    items: tuple[Item, ...]
    human: FloatArray
    model: FloatArray

    @property
    def uids(self) -> tuple[str, ...]:
        """The items' uids, in the order of the rows."""
        return tuple(item.uid for item in self.items)


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Runs over the same items, with their task. `human` covers all items and has the shape (items, labels)."""

    task: StoredTask
    items: tuple[Item, ...]
    human: FloatArray
    series: tuple[Series, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The task's labels."""
        return self.task.labels


def judged(names: Sequence[str], stored: Runs) -> Judged:
    """Return runs by ids or starts of ids. Raises InputError if their items differ or a run has no distribution."""
    runs = list({run.id: run for run in (stored.find(name) for name in names)}.values())
    first = runs[0]
    for run in runs:
        if run.task_digest != first.task_digest:
            raise InputError(f"runs {first.id} and {run.id} are over different items: plot them one by one")
    items = tuple(stored.items(first.task_digest))
    series = tuple(_series(run, items, stored) for run in runs)
    return Judged(stored.task(first.task_digest), items, np.array([item.human for item in items]), series)


def _series(run: Run, items: Sequence[Item], stored: Runs) -> Series:
    found = {each.uid: each.probabilities for each in stored.predictions(run.id) if each.probabilities is not None}
    own = tuple(item for item in items if item.uid in found)
    if not own:
        raise InputError(f"run {run.id} has no item with a distribution")
    return Series(run.name, own, np.array([item.human for item in own]), np.array([found[item.uid] for item in own]))
