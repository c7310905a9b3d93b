"""Guess what a JSON lines file contains: which field is the uid, which are texts, and where the votes are. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from judgeharness.domain.json_reader import finite_number
from judgeharness.domain.nouns import LETTERS

UID_NAMES = ("uid", "id", "item_id", "pairid", "pair_id", "key", "qid", "guid", "idx", "index")
TEXT_NAMES = ("text", "reason", "explanation", "comment", "why", "rationale", "justification")
LABEL_NAMES = ("label", "answer", "choice", "vote", "rating", "class")
ANNOTATOR_NAMES = ("annotator", "annotator_id", "worker", "worker_id", "rater", "by")
MAX_FIELDS = 8
MAX_LABEL_LENGTH = 40
AFFIXES = (
    "votes_",
    "vote_",
    "n_",
    "num_",
    "count_",
    "label_",
    "p_",
    "prob_",
    "_votes",
    "_vote",
    "_count",
    "_n",
    "_prob",
)


Source = str | Mapping[str, str] | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GuessedExplanations:
    """A list of objects under `path`, and the names of their fields."""

    path: str
    text: str
    label: str
    annotator: str | None


@dataclass(frozen=True, slots=True)
class Guess:
    """What a task file needs. A field is None or empty if nothing seems to fit.

    Attributes:
        uid: The path of the uid.
        kind: "votes", "human" or "annotations".
        source: A path, a path for each label, or a path for each annotator.
        labels: The labels in order of appearance.
        fields: The paths of the texts, by name.
        explanations: Where the explanations are.
        unsure: Whether the labels are only numbered because the file does not name them.
    """

    uid: str | None = None
    kind: str | None = None
    source: Source | None = None
    labels: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    explanations: GuessedExplanations | None = None
    unsure: bool = False


def guess(records: Sequence[Mapping[str, Any]]) -> Guess:
    """Guess from some records that have the same shape."""
    columns = _columns(records)
    votes = _votes({path: values for path, values in columns.items() if len(values) == len(records)})
    rest = {path: values for path, values in columns.items() if votes is None or not votes.holds(path)}
    uid = _uid(rest, len(records))
    rest = {path: values for path, values in rest.items() if path != uid}
    fields, explanations = _fields(rest, len(records)), _explanations(rest)
    if votes is None:
        return Guess(uid, fields=fields, explanations=explanations)
    return Guess(uid, votes.kind, votes.source, votes.labels, fields, explanations, votes.unsure)


def _columns(records: Iterable[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return the values by dotted path. Objects appear both as a whole and in parts."""
    found: dict[str, list[Any]] = {}

    def walk(prefix: str, record: Mapping[str, Any], depth: int) -> None:
        for name, value in record.items():
            if "." in name:
                continue
            found.setdefault(prefix + name, []).append(value)
            if isinstance(value, Mapping) and depth < 4:
                walk(f"{prefix}{name}.", value, depth + 1)

    for record in records:
        walk("", record, 0)
    return found


def _uid(columns: Mapping[str, Sequence[Any]], count: int) -> str | None:
    """Return a field whose values are unique: one with a typical name, or else the first one."""
    unique = [
        path
        for path, values in columns.items()
        if len(values) == count
        and all(isinstance(value, str | int) and not isinstance(value, bool) for value in values)
        and len({str(value) for value in values}) == count
    ]
    named = [path for name in UID_NAMES for path in unique if path.rsplit(".", 1)[-1].lower() == name]
    short = [path for path in unique if all(len(str(value)) <= 64 for value in columns[path])]
    return next(iter([*named, *short]), None)


Columns = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class _Votes:
    kind: str
    source: Source
    labels: tuple[str, ...]
    unsure: bool = False

    def holds(self, path: str) -> bool:
        """Return whether a path is where the votes are, or lies within it."""
        source = self.source
        sources = [source] if isinstance(source, str) else source if isinstance(source, tuple) else source.values()
        return any(path == source or path.startswith(f"{source}.") for source in sources)


def _votes(columns: Columns) -> _Votes | None:
    """Return where people's judgments seem to be, in the first form that fits."""
    for form in (_objects, _annotations, _lists, _table, _annotators):
        found = form(columns)
        if found is not None and 2 <= len(found.labels) <= len(LETTERS):
            return found
    return None


def _objects(columns: Columns) -> _Votes | None:
    """Find counts by label, such as {"yes": 3, "no": 2}."""
    for path, values in columns.items():
        if all(isinstance(value, Mapping) and value and all(map(_counts, value.values())) for value in values):
            labels = tuple(dict.fromkeys(label for value in values for label in value))
            return _Votes(_kind([list(value.values()) for value in values]), path, labels)
    return None


def _annotations(columns: Columns) -> _Votes | None:
    """Find a label for each annotator, such as ["yes", "no", "yes"], if values repeat often enough to be labels."""
    for path, values in columns.items():
        if all(isinstance(value, list) and value and all(isinstance(each, str) for each in value) for value in values):
            labels = tuple(dict.fromkeys(each for value in values for each in value if each))
            if len(labels) <= len(LETTERS) and sum(map(len, values)) > 2 * len(labels):
                return _Votes("annotations", path, labels)
    return None


def _lists(columns: Columns) -> _Votes | None:
    """Find counts in the order of labels that are not named, such as [3, 2]."""
    for path, values in columns.items():
        sizes = {len(value) if isinstance(value, list) else 0 for value in values}
        if len(sizes) == 1 and min(sizes) >= 2 and all(all(map(_counts, value)) for value in values):
            labels = tuple(f"label-{number}" for number in range(1, min(sizes) + 1))
            return _Votes(_kind(values), path, labels, unsure=True)
    return None


def _table(columns: Columns) -> _Votes | None:
    """Find a column of counts for each label, as in spreadsheets: votes_yes, votes_no."""
    numeric = [path for path, values in columns.items() if all(map(_counts, values))]
    for affix in AFFIXES:
        named = {_without(path, affix): path for path in numeric if _has(path, affix)}
        if len(named) >= 2:
            rows = list(zip(*(columns[path] for path in named.values()), strict=True))
            return _Votes(_kind(rows), named, tuple(named))
    return None


def _annotators(columns: Columns) -> _Votes | None:
    """Find a column of labels for each annotator: two or more columns that share a few short values."""
    words = {
        path: {value for value in values if value}
        for path, values in columns.items()
        if all(value is None or (isinstance(value, str) and len(value) <= MAX_LABEL_LENGTH) for value in values)
    }
    few = {path: found for path, found in words.items() if 1 <= len(found) <= max(2, len(columns[path]) // 2)}
    for first, found in few.items():
        alike = tuple(path for path, other in few.items() if found & other or path == first)
        labels = tuple(dict.fromkeys(value for path in alike for value in columns[path] if value))
        if len(alike) >= 2:
            return _Votes("annotations", alike, labels)
    return None


def _has(path: str, affix: str) -> bool:
    name = path.lower()
    return name.endswith(affix) if affix.startswith("_") else name.startswith(affix)


def _without(path: str, affix: str) -> str:
    return path[: -len(affix)] if affix.startswith("_") else path[len(affix) :]


def _kind(rows: Sequence[Sequence[Any]]) -> str:
    """Return "human" for probabilities, which sum to 1. Single votes do too, but they are whole numbers."""
    numbers = [[float(value or 0) for value in row] for row in rows]
    sums_to_one = all(abs(math.fsum(row) - 1) < 1e-3 for row in numbers)
    return "human" if sums_to_one and any(value % 1 for row in numbers for value in row) else "votes"


def _counts(value: Any) -> bool:
    """Return whether a value can be a count or a probability. Null counts as zero."""
    try:
        return value is None or finite_number(value) >= 0
    except ValueError:
        return False


def _constant(values: Sequence[Any]) -> bool:
    return len({str(value) for value in values}) == 1 and len(values) > 1


def _fields(columns: Mapping[str, Sequence[Any]], count: int) -> dict[str, str]:
    """Return the paths of texts that differ between records, by names that a template can use."""
    found: dict[str, str] = {}
    for path, values in columns.items():
        sound = len(values) == count and all(isinstance(value, str) for value in values) and any(values)
        if sound and not _constant(values) and len(found) < MAX_FIELDS:
            found[field_name(path, found)] = path
    return found


def field_name(path: str, taken: Iterable[str] = ()) -> str:
    """Return a name for templates from a path: letters, digits and underscores."""
    last = path.rsplit(".", 1)[-1]
    name = "".join(c if c.isascii() and c.isalnum() else "_" for c in last).strip("_").lower() or "field"
    name = (
        f"field_{name}"
        if name[0].isdigit() or name in {"options", "explanations", "instruction", "labels", "loop"}
        else name
    )
    number, unique = 2, name
    while unique in set(taken):
        unique, number = f"{name}_{number}", number + 1
    return unique


def _explanations(columns: Mapping[str, Sequence[Any]]) -> GuessedExplanations | None:
    for path, values in columns.items():
        entries = [entry for value in values if isinstance(value, list) for entry in value]
        if not entries or not all(isinstance(entry, Mapping) for entry in entries):
            continue
        names = {name.lower(): name for entry in entries for name in entry}
        text = next((names[name] for name in TEXT_NAMES if name in names), None)
        label = next((names[name] for name in LABEL_NAMES if name in names), None)
        if text and label:
            annotator = next((names[name] for name in ANNOTATOR_NAMES if name in names), None)
            return GuessedExplanations(path, text, label, annotator)
    return None
