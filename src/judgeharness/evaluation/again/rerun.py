"""A run made again from its record, beside the stored one."""

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

    largest, mean: of the total variation distances between the model judgment distributions of an item; None where no
    item has one in both. farthest: the item of the largest. only_then, only_now: items with a distribution in one
    alone.
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
        """Whether every item has the same distribution as then, within the tolerance."""
        return not self.only_then and not self.only_now and (self.largest or 0.0) <= self.tolerance

    def metrics(self) -> Mapping[str, tuple[float | None, float | None]]:
        """Each measure then and now."""
        return {
            name: (self.then.metrics.get(name), self.now.metrics.get(name))
            for name in dict.fromkeys([*self.then.metrics, *self.now.metrics])
        }


def beside(then: Run, old: Store, now: Run, new: Store, tolerance: float = TOLERANCE) -> Rerun:
    """Two runs from a store each, item by item."""
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
