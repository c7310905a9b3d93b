"""The labels that ChaosNLI's own evaluation script counts as right."""

from __future__ import annotations

from dataclasses import dataclass

from judgeharness.domain.errors import InputError
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.fetch import MeterFactory
from judgeharness.tasks.records import read_records
from judgeharness.tasks.task import Task, TaskFiles


@dataclass(frozen=True, slots=True)
class RightLabels:
    """The labels that count as right, as indices in the order of the items.

    Attributes:
        old: The labels of the source dataset.
        majority: The majority labels of ChaosNLI's votes. If votes are tied, the data names one of the labels, which
            need not be the first in the task's order.
    """

    old: tuple[int, ...]
    majority: tuple[int, ...]


def right_labels(task: Task, folders: DataFolders, meters: MeterFactory) -> RightLabels:
    """Return the labels of a task's items.

    Raises InputError if the task has no [official] table, and as `load_task`.
    """
    paths = task.definition.official
    if paths is None:
        raise InputError(
            f"task {task.name} has no [official] labels",
            "--official is for ChaosNLI's tasks ('judgeharness list tasks')",
        )
    table = task.definition.items
    found = {
        record.text(table.uid): (
            record.label(record.get(paths.old_label), task.labels),
            record.label(record.get(paths.majority_label), task.labels),
        )
        for record in read_records(TaskFiles(task.definition, folders, meters).path(table.file, table.dataset))
    }
    rows = [found[item.uid] for item in task.items]
    return RightLabels(tuple(old for old, _ in rows), tuple(majority for _, majority in rows))
