"""Tasks that are ready to be evaluated, and how their items are read from data files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.domain.hashes import digest, file_digest
from judgeharness.domain.nouns import NO_REFERENCES, Explanation, FloatArray, Item, Label, distribution
from judgeharness.domain.toml import read_toml
from judgeharness.tasks.datasets import DataFolders, dataset_named
from judgeharness.tasks.definition import ExplanationsTable, ItemsTable, SplitTable, TaskDefinition
from judgeharness.tasks.fetch import MeterFactory, ensure
from judgeharness.tasks.paths import inside
from judgeharness.tasks.published import Published
from judgeharness.tasks.records import Record, read_records
from judgeharness.tasks.template import Template, task_template


@dataclass(frozen=True, slots=True)
class Task:
    """The items of one split, with labels and wording.

    Attributes:
        definition: The task file.
        split: The name of the split.
        labels: The labels.
        template: The wording.
        items: The items.
        files: The sha256 of every data file, by name.
        total: The size of the split before any limit.
        published: Published results on this split, if there are any.
    """

    definition: TaskDefinition
    split: str
    labels: tuple[Label, ...]
    template: Template
    items: tuple[Item, ...]
    files: Mapping[str, str]
    total: int
    published: Published | None = None

    @property
    def name(self) -> str:
        """The task's name."""
        return self.definition.name

    @property
    def digest(self) -> str:
        """A hash of the labels and of every item's judgments. Runs with the same digest are comparable."""
        judged = [[item.uid, item.human, dict(item.references)] for item in self.items]
        return digest([self.name, self.split, [label.name for label in self.labels], judged])

    @property
    def human(self) -> FloatArray:
        """The human distributions, of shape (items, labels)."""
        return np.array([item.human for item in self.items], dtype=np.float64)

    @property
    def blanks(self) -> Mapping[str, int]:
        """How many items have a blank text, by the name of the field. Fields without blanks are left out."""
        counts = Counter(name for item in self.items for name, text in item.fields.items() if _is_blank(text))
        return {name: counts[name] for name in self.definition.items.fields if counts[name]}

    def limited(self, most: int | None) -> Task:
        """Return the task with its first `most` items."""
        return self if most is None else replace(self, items=self.items[:most])


def load_task(
    definition: TaskDefinition,
    folders: DataFolders,
    meters: MeterFactory,
    split: str | None = None,
) -> Task:
    """Read a task's items, and fetch published data that is missing.

    Args:
        definition: The task file.
        folders: Where data is searched for.
        meters: Makes the meter that shows a download's progress.
        split: The name of the split; None for the first one.

    Raises:
        InputError: A file is faulty, or the split is unknown.
        HarnessError: Data cannot be downloaded.
    """
    chosen = split or definition.split_names[0]
    if chosen not in definition.split_names:
        raise UnknownNameError(f"split of task {definition.name}", chosen, definition.split_names)
    template = task_template(definition)
    labels = tuple(table.label() for table in definition.labels)
    files = TaskFiles(definition, folders, meters)
    items = _items(definition, labels, files)
    if definition.splits:
        items = _split(items, definition.splits, chosen, definition.name)
    if not items:
        raise InputError(f"task {definition.name} has no items in the split '{chosen}'")
    published = _published(definition, chosen)
    return Task(definition, chosen, labels, template, tuple(items), files.hashes, len(items), published)


def _published(definition: TaskDefinition, split: str) -> Published | None:
    paths = [inside(definition.folder, name) for name in definition.published]
    found = [each for path in paths if (each := read_toml(path, Published, "published results")).split == split]
    if len(found) > 1:
        raise InputError(f"task {definition.name} names two files of published results for the split '{split}'")
    return found[0] if found else None


class TaskFiles:
    """Finds a task's files, and keeps their hashes for the record."""

    def __init__(self, definition: TaskDefinition, folders: DataFolders, meters: MeterFactory) -> None:
        self._definition = definition
        self._folders = folders
        self._meters = meters
        self.hashes: dict[str, str] = {}

    def path(self, name: str, dataset_name: str | None) -> Path:
        """Return the path of a file beside the task's, or of a dataset's file, fetched if missing.

        Raises as `load_task`.
        """
        if dataset_name is None:
            path = inside(self._definition.folder, name)
            self.hashes[name] = file_digest(path, "data file")
            return path
        dataset = dataset_named(dataset_name)
        file = dataset.file(name)
        path = ensure(dataset, file, self._folders, self._meters)
        self.hashes[f"{dataset_name}/{name}"] = file.sha256
        return path


def _items(definition: TaskDefinition, labels: Sequence[Label], files: TaskFiles) -> list[Item]:
    path = files.path(definition.items.file, definition.items.dataset)
    explanations = _joined_explanations(definition.explanations, labels, files)
    items: list[Item] = []
    taken: set[str] = set()
    for record in read_records(path, definition.items.member):
        item = _item(definition, labels, record, explanations)
        if item is not None:
            record.claim(definition.items.uid, taken)
            items.append(item)
    return items


def _item(
    definition: TaskDefinition,
    labels: Sequence[Label],
    record: Record,
    joined: Mapping[str, tuple[Explanation, ...]] | None,
) -> Item | None:
    """Return the item of a record, or None if it has no votes and such items are dropped."""
    table = definition.items
    uid = record.uid(table.uid)
    found = _human(table, labels, record)
    if found is None:
        return None
    votes, human = found
    explanations: tuple[Explanation, ...] = ()
    if joined is not None:
        explanations = joined.get(uid, ())
    elif definition.explanations is not None:
        explanations = _explanations(definition.explanations, labels, record)
    references = {name: _reference(record, path, labels) for name, path in definition.references.items()}
    if definition.explanations is not None and definition.explanations.reference is not None and explanations:
        references[definition.explanations.reference] = _label_shares(explanations, len(labels))
    fields = {name: record.text(path) for name, path in table.fields.items()}
    if fields and all(map(_is_blank, fields.values())):
        raise record.fault(f"nothing to judge: no text in {', '.join(map(repr, table.fields.values()))}")
    cluster = None if table.cluster is None else record.text(table.cluster)
    return Item(uid, fields, human, votes, explanations, references or NO_REFERENCES, cluster)


def _is_blank(text: str) -> bool:
    return not text.strip()


def _human(
    table: ItemsTable, labels: Sequence[Label], record: Record
) -> tuple[tuple[float, ...] | None, tuple[float, ...]] | None:
    """Return the votes, if known, and the distribution. Returns None if there are no votes and that is allowed."""
    if table.annotations is not None:
        votes = record.label_counts(table.annotations, labels)
    else:
        votes = record.numbers(table.votes or table.human or "", labels)
    if sum(votes) <= 0:
        if table.without_votes == "drop":
            return None
        raise record.fault(f"no votes: field '{table.annotations or table.votes or table.human}' is empty or all zeros")
    if table.human is None:
        return votes, distribution(votes)
    if abs(sum(votes) - 1) > 1e-3:
        raise record.fault(f"field '{table.human}' sums to {sum(votes):g}, not to 1: are these 'votes'?")
    return None, distribution(votes)


def _reference(record: Record, path: str, labels: Sequence[Label]) -> tuple[float, ...]:
    counts = record.label_counts(path, labels)
    if sum(counts) <= 0:
        raise record.fault(f"field '{path}' names no label")
    return distribution(counts)


def _label_shares(explanations: Sequence[Explanation], n_labels: int) -> tuple[float, ...]:
    counts = [0.0] * n_labels
    for each in explanations:
        counts[each.label] += 1
    return distribution(tuple(counts))


def _joined_explanations(
    table: ExplanationsTable | None, labels: Sequence[Label], files: TaskFiles
) -> dict[str, tuple[Explanation, ...]] | None:
    """Return explanations by uid from a separate file, or None if the items' records hold them."""
    if table is None or table.file is None:
        return None
    joined: dict[str, tuple[Explanation, ...]] = {}
    taken: set[str] = set()
    for record in read_records(files.path(table.file, table.dataset)):
        record.claim(table.uid, taken)
        joined[record.uid(table.uid)] = _explanations(table, labels, record)
    return joined


def _explanations(table: ExplanationsTable, labels: Sequence[Label], record: Record) -> tuple[Explanation, ...]:
    """Return a record's explanations: as listed, or from a list for each label, sorted by annotator and then label."""
    if table.path:
        entries = _list(record, record.find(table.path))
        return tuple(
            _explanation(table, record.label(entry.get(table.label), labels), entry, record) for entry in entries
        )
    found: list[Explanation] = []
    for index, label in enumerate(labels):
        entries = _list(record, record.find(label.name))
        found += [_explanation(table, index, entry, record) for entry in entries]
    return tuple(sorted(found, key=_by_annotator))


def _by_annotator(explanation: Explanation) -> tuple[bool, int, str, int]:
    annotator = explanation.annotator
    number = annotator if isinstance(annotator, int) else 0
    return (not isinstance(annotator, int), number, str(annotator), explanation.label)


def _list(record: Record, value: object) -> list[dict[str, object]]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise record.fault("explanations are not a list of objects")
    return value


def _explanation(table: ExplanationsTable, label: int, entry: dict[str, object], record: Record) -> Explanation:
    text = entry.get(table.text)
    if not isinstance(text, str) or not text.strip():
        raise record.fault(f"an explanation has no text under '{table.text}'")
    annotator = entry.get(table.annotator) if table.annotator else None
    if annotator is not None and not isinstance(annotator, str | int):
        raise record.fault(f"an explanation's '{table.annotator}' is neither text nor a whole number")
    return Explanation(record.sound(text, "an explanation"), label, annotator)


def _split(items: Sequence[Item], splits: Sequence[SplitTable], name: str, task: str) -> list[Item]:
    """Return the items of one split.

    "The rest" are the items that belong to no split by explanations, in file order.
    """
    counts = {split.explanations for split in splits if split.explanations is not None}
    chosen = next(split for split in splits if split.name == name)
    if chosen.rest is None:
        found = [item for item in items if len(item.explanations) == chosen.explanations]
    else:
        rest = [item for item in items if len(item.explanations) not in counts]
        found = rest[chosen.rest[0] : chosen.rest[1]]
    if chosen.items is not None and len(found) != chosen.items:
        raise InputError(f"task {task}: the split '{name}' has {len(found)} items where {chosen.items} are published")
    return found
