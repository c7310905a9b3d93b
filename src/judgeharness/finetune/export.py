"""Soft labels as JSON lines for other trainers, and the held-out splits with people's labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from judgeharness.domain.escaping import json_text, safe
from judgeharness.domain.files import make_folder, replacing, write
from judgeharness.domain.nouns import FloatArray
from judgeharness.tasks.task import Task

ABOUT = "README.txt"


def write_soft_labels(folder: Path, name: str, task: Task, rows: FloatArray, held_out: Sequence[Task]) -> list[Path]:
    """Write a file for each split, and one that describes them.

    A line holds the uid, the item's texts, and `label_probabilities` in the task's label order.

    Args:
        folder: The folder to write to.
        name: The name of the soft labels.
        task: The items to train on.
        rows: The soft labels of these items, of shape (items, labels).
        held_out: Other splits, written with people's labels.

    Raises:
        HarnessError: The folder cannot be written to.
    """
    make_folder(folder)
    written = [_lines(folder / f"{task.split}.jsonl", task, rows)]
    written += [_lines(folder / f"{each.split}.jsonl", each, each.human) for each in held_out]
    write(folder / ABOUT, safe(_about(name, task, held_out)))
    return [*written, folder / ABOUT]


def _lines(path: Path, task: Task, rows: FloatArray) -> Path:
    with replacing(path) as out:
        for item, row in zip(task.items, rows.tolist(), strict=True):
            entry = {"uid": item.uid, **item.fields, "label_probabilities": row}
            out.write(json_text(entry).encode() + b"\n")
    return path


def _about(name: str, task: Task, held_out: Sequence[Task]) -> str:
    definition = task.definition
    names = ", ".join(label.name for label in task.labels)
    splits = "".join(
        f"{each.split}.jsonl: {len(each.items)} items with the distributions of people\n" for each in held_out
    )
    return (
        f"{definition.title}, exported by judgeharness\n\n"
        f"{task.split}.jsonl: {len(task.items)} items with the distributions of {name}\n{splits}"
        f"label_probabilities are in the order {names}.\n\n"
        f"Licence of the data: {definition.licence}\nSource: {definition.homepage}\n\n{definition.citation.strip()}\n"
    )
