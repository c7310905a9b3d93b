"""Explanations that take the place of a task's own: written by a model, or given in a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from judgeharness.domain.errors import InputError
from judgeharness.domain.hashes import digest, file_digest
from judgeharness.domain.names import readable
from judgeharness.domain.nouns import Explanation, Label
from judgeharness.tasks.records import Record, read_records
from judgeharness.tasks.task import Task

HUMAN = "human"
"""Names the explanations of a task itself, which people wrote."""

MAX_CHARACTERS = 20_000


@dataclass(frozen=True, slots=True)
class GivenExplanation:
    """An explanation by the name of its label. text_key: of the answer that it was written in, if a model wrote it."""

    text: str
    label: str
    text_key: str | None = None


@dataclass(frozen=True, slots=True)
class ExplanationSet:
    """Explanations of items by uid, in the order in which they are shown.

    name: who wrote them, for people. origin: how they came about, as plain JSON data.
    """

    name: str
    by_uid: Mapping[str, tuple[GivenExplanation, ...]]
    origin: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """A hash of the explanations: the same ones have the same id, wherever they come from."""
        return digest({uid: [[each.text, each.label] for each in shown] for uid, shown in self.by_uid.items()})[:12]

    @property
    def count(self) -> int:
        """How many explanations there are."""
        return sum(map(len, self.by_uid.values()))


def explained(task: Task, given: ExplanationSet | None) -> Task:
    """The task with these explanations in place of its own; None leaves it as it is.

    Raises InputError where none is about one of its items, or one is for a label that it does not have.
    """
    if given is None:
        return task
    labels = {word: index for index, label in enumerate(task.labels) for word in label.spellings}
    items = tuple(
        replace(item, explanations=_shown(given.by_uid.get(item.uid, ()), labels, given, task.labels))
        for item in task.items
    )
    if not any(item.explanations for item in items):
        raise InputError(
            f"the explanations by {given.name} are about none of the {len(items)} items of {task.name}",
            f"the first of theirs is '{next(iter(given.by_uid), '')}', the first of the task's '{items[0].uid}'",
        )
    return replace(task, items=items)


def _shown(
    given: Sequence[GivenExplanation], labels: Mapping[str, int], whole: ExplanationSet, known: Sequence[Label]
) -> tuple[Explanation, ...]:
    for each in given:
        if each.label not in labels:
            names = ", ".join(label.name for label in known)
            raise InputError(f"explanations by {whole.name}: '{each.label}' is none of the labels {names}")
    return tuple(Explanation(each.text, labels[each.label], whole.name) for each in given)


def read_explanations(path: Path) -> ExplanationSet:
    """A file of JSON lines, an item each: `uid`, and `explanations`, a list of objects with `text` and `label`.

    Raises InputError that names file and line.
    """
    by_uid: dict[str, tuple[GivenExplanation, ...]] = {}
    taken: set[str] = set()
    for record in read_records(path):
        record.claim("uid", taken)
        by_uid[record.uid("uid")] = _of(record)
    if not any(by_uid.values()):
        raise InputError(f"{path}: holds no explanations")
    return ExplanationSet(readable(path.name), by_uid, {"file": readable(path.name), "sha256": file_digest(path)})


def _of(record: Record) -> tuple[GivenExplanation, ...]:
    entries = record.get("explanations")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise record.fault("'explanations' is not a list of objects with 'text' and 'label'")
    found = []
    for entry in entries:
        text, label = entry.get("text"), entry.get("label")
        if not isinstance(text, str) or not text.strip() or len(text) > MAX_CHARACTERS:
            raise record.fault(f"an explanation has no 'text' of 1 to {MAX_CHARACTERS:,} characters")
        if not isinstance(label, str | int) or isinstance(label, bool):
            raise record.fault("an explanation has no 'label'")
        found.append(GivenExplanation(record.sound(text, "an explanation"), str(label)))
    return tuple(found)
