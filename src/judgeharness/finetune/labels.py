"""Soft labels to train on: those of a baseline, or of a run in the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.backends.contract import BackendContext, Predictor
from judgeharness.domain.errors import InputError
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import FloatArray
from judgeharness.evaluation.components import open_backend
from judgeharness.plugins.registry import Registry
from judgeharness.store.runs import Run, Runs
from judgeharness.tasks.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """Soft labels of a task's items.

    Attributes:
        name: Where they come from, for display.
        run: The id of the run that they come from, if any.
        rows: The distributions, of shape (items, labels).
    """

    name: str
    run: str | None
    rows: FloatArray

    @property
    def digest(self) -> str:
        """A hash of the distributions."""
        return digest(self.rows.tolist())


def soft_labels(given: str, task: Task, stored: Runs | None, registry: Registry, context: BackendContext) -> SoftLabels:
    """Return the labels of `baseline:NAME`, `file:FILE`, or a run (its id or the start of it) for a task's items.

    Raises InputError if an item has none, or as backends do. `stored` is None if there is no store yet.
    """
    if ":" in given:
        part = open_backend(registry, given, {}, context).part
        if not isinstance(part, Predictor):
            raise InputError(
                f"--labels {given}: a model is asked first, with 'judgeharness eval'", "then name the run by its id"
            )
        return SoftLabels(given, None, np.asarray(part.predict(task.items, task.labels), dtype=np.float64))
    if stored is None:
        raise InputError(f"--labels {given}: no store there", "name one with --store, or a baseline: baseline:human")
    return _of_run(stored.find(given), task, stored)


def _of_run(run: Run, task: Task, stored: Runs) -> SoftLabels:
    labels = stored.task(run.task_digest).labels
    if labels != tuple(label.name for label in task.labels):
        raise InputError(f"run {run.id} has the labels {', '.join(labels)}, which are not those of task {task.name}")
    found = {each.uid: each.probabilities for each in stored.predictions(run.id)}
    lacking = [item.uid for item in task.items if found.get(item.uid) is None]
    if lacking:
        raise InputError(
            f"run {run.id} of {run.backend} has no distribution for {len(lacking):,} of the {len(task.items):,} items"
            f" of {task.name} ({task.split}), such as {lacking[0]}",
            "it failed there, or was run with --limit or on another split",
        )
    return SoftLabels(run.name, run.id, np.array([found[item.uid] for item in task.items], dtype=np.float64))


def texts(task: Task, fields: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the one or two texts of each item that the classifier reads. Raises InputError for unknown fields."""
    chosen = tuple(fields) or _usual(task)
    if not 1 <= len(chosen) <= 2:
        raise InputError("--fields takes one field of the task or two")
    for name in chosen:
        if any(name not in item.fields for item in task.items):
            known = ", ".join(task.definition.items.fields)
            raise InputError(f"--fields: task {task.name} has no field '{name}'", f"it has: {known}")
    return [tuple(item.fields[name] for name in chosen) for item in task.items]


def _usual(task: Task) -> tuple[str, ...]:
    known = tuple(task.definition.items.fields)
    if {"premise", "hypothesis"} <= set(known):
        return ("premise", "hypothesis")
    if len(known) == 1:
        return known
    raise InputError(
        f"which texts of task {task.name} a classifier reads is not clear", f"--fields of: {', '.join(known)}"
    )
