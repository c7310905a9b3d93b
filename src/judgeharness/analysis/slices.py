"""Metrics on parts of the items: where a judge is close to people, and where it is not."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.analysis.intervals import Interval, intervals
from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.domain.nouns import Item, Prediction
from judgeharness.metrics.entropy import entropies
from judgeharness.metrics.measure import Measure, Sample, measure
from judgeharness.tasks.task import Task

ENTROPY, MAJORITY, EXPLAINED = "entropy", "majority", "explained-labels"
MAX_SLICES = 40


@dataclass(frozen=True, slots=True)
class Slice:
    """Some of the items, with metrics and intervals by name."""

    name: str
    items: int
    metrics: Mapping[str, float | None]
    intervals: Mapping[str, Interval | None]


def slice_names(items: Sequence[Item], labels: Sequence[str], by: str, bins: int) -> list[str]:
    """Return the name of each item's slice.

    Args:
        items: The items.
        labels: The names of the labels.
        by: What to slice by: `entropy` (of the human distribution), `majority` (the label that most people chose, or
            the first one of a tie), `explained-labels` (how many different labels the explanations argue for), a label
            source of the task (its most probable label), or a field of the items.
        bins: The number of entropy bins, which have about the same number of items each.

    Raises:
        UnknownNameError: `by` is not one of these.
    """
    if by == ENTROPY:
        return _bins(items, bins)
    if by == MAJORITY:
        return [labels[int(np.argmax(item.human))] for item in items]
    if by == EXPLAINED:
        return [f"{len({explanation.label for explanation in item.explanations})} labels" for item in items]
    if all(by in item.references for item in items):
        return [labels[int(np.argmax(item.references[by]))] for item in items]
    if all(by in item.fields for item in items):
        return [item.fields[by] for item in items]
    known = {*items[0].references, *items[0].fields} if items else set()
    raise UnknownNameError("slice", by, [ENTROPY, MAJORITY, EXPLAINED, *known])


def slices_of(
    task: Task, predictions: Sequence[Prediction], by: str, bins: int, measures: Mapping[str, Measure]
) -> list[Slice]:
    """Compute the metrics of each slice of a run.

    Raises InputError if the task no longer has all of the run's items, or if there are too many slices.
    """
    found = {each.uid: each for each in predictions}
    items = [item for item in task.items if item.uid in found]
    if len(items) < len(found):
        raise InputError(f"task {task.name} does not have all items of the run any more")
    names = slice_names(items, [label.name for label in task.labels], by, bins)
    if len(set(names)) > MAX_SLICES:
        raise InputError(f"--by {by}: makes {len(set(names)):,} slices; at most {MAX_SLICES}")
    return sliced(items, [found[item.uid] for item in items], names, measures)


def sliced(
    items: Sequence[Item], predictions: Sequence[Prediction], names: Sequence[str], measures: Mapping[str, Measure]
) -> list[Slice]:
    """Compute the metrics of each slice, in the order of the slices' names, with numbers in them by their size."""
    found = []
    for name in sorted(set(names), key=by_number):
        places = [place for place, each in enumerate(names) if each == name]
        own, given = [items[place] for place in places], [predictions[place] for place in places]
        sample = Sample.of(own, given)
        found.append(Slice(name, len(sample), measure(own, given, measures), intervals(measures, sample, faults={})))
    return found


def by_number(name: str) -> list[tuple[int, int, str]]:
    """Return a key that sorts 2 before 10."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"([0-9]+)", name) if part]


def _bins(items: Sequence[Item], bins: int) -> list[str]:
    values = entropies(np.array([item.human for item in items]))
    edges = np.quantile(values, np.linspace(0, 1, bins + 1))
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, bins - 1)
    return [f"{place + 1}: {edges[place]:.2f} to {edges[place + 1]:.2f} nats" for place in places]
