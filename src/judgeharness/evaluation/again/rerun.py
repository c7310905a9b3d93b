"""A stored run compared with a rerun of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.again.origin import Change, changes, origin_of
from judgeharness.store.database import Store
from judgeharness.store.runs import Run

TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class Rerun:
    """The same run then and now.

    Attributes:
        then: The stored run.
        now: The rerun.
        changes: What the run depends on and has changed.
        tolerance: The largest distance of an item at which the run still holds.
        compared: How many items have a distribution in both runs.
        largest: The largest total variation distance between an item's two distributions; None if none was compared.
        mean: The mean of these distances; None if none was compared.
        farthest: The uid of the item with the largest distance.
        only_then: The uids of items with a distribution in the stored run alone.
        only_now: The uids of items with a distribution in the rerun alone.
    """

    then: Run
    now: Run
    changes: Sequence[Change]
    tolerance: float
    compared: int
    largest: float | None
    mean: float | None
    farthest: str | None
    only_then: Sequence[str]
    only_now: Sequence[str]

    @property
    def holds(self) -> bool:
        """Whether the same items have distributions in both runs, and these agree within the tolerance."""
        return not self.only_then and not self.only_now and (self.largest or 0.0) <= self.tolerance

    def metrics(self) -> Mapping[str, tuple[float | None, float | None]]:
        """Return the value of each metric, then and now."""
        return {
            name: (self.then.metrics.get(name), self.now.metrics.get(name))
            for name in dict.fromkeys([*self.then.metrics, *self.now.metrics])
        }


def beside(then: Run, old: Store, now: Run, new: Store, tolerance: float = TOLERANCE) -> Rerun:
    """Compare two runs item by item. Each may be in a store of its own."""
    before, after = _by_uid(old.runs.predictions(then.id)), _by_uid(new.runs.predictions(now.id))
    both = [uid for uid in before if uid in after]
    distances = [_distance(before[uid], after[uid]) for uid in both]
    place = int(np.argmax(distances)) if both else 0
    return Rerun(
        then=then,
        now=now,
        changes=changes(origin_of(then, old), origin_of(now, new)),
        tolerance=tolerance,
        compared=len(both),
        largest=distances[place] if both else None,
        mean=float(np.mean(distances)) if both else None,
        farthest=both[place] if both else None,
        only_then=[uid for uid in before if uid not in after],
        only_now=[uid for uid in after if uid not in before],
    )


def _by_uid(predictions: Sequence[Prediction]) -> dict[str, tuple[float, ...]]:
    return {each.uid: each.probabilities for each in predictions if each.probabilities is not None}


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    if len(one) != len(other):
        return 1.0
    return float(np.abs(np.array(one) - np.array(other)).sum() / 2)
