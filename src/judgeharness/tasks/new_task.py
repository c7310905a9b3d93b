"""Make a task from a file: find out about its fields, and write the task's files beside it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from judgeharness.domain.errors import InputError
from judgeharness.domain.files import is_file, read_bytes, write
from judgeharness.domain.names import NAME
from judgeharness.domain.nouns import LETTERS
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.definition import read_definition
from judgeharness.tasks.draft import Draft, task_toml, wording
from judgeharness.tasks.fetch import silent_meter
from judgeharness.tasks.guess import Guess, guess
from judgeharness.tasks.records import read_records
from judgeharness.tasks.task import Task, load_task

LOOKED_AT = 2_000


def known_of(
    file: Path, uid: str | None, sources: Mapping[str, str | None], labels: str | None, fields: tuple[str, ...]
) -> Guess:
    """Guess the task from a file. What the user gives takes precedence. Raises InputError."""
    records = [record.values for record in islice(read_records(file), LOOKED_AT)]
    if not records:
        raise InputError(f"{file}: holds no records", "a task is made from JSON lines: one object a line")
    given = {kind: path for kind, path in sources.items() if path is not None}
    if len(given) > 1:
        raise InputError("give one of --votes, --human and --annotations")
    known = guess(records)
    for kind, words in given.items():
        paths = tuple(each.strip() for each in words.split(","))
        narrow = guess([{path.replace(".", "_"): _at(record, path) for path in paths} for record in records])
        source = paths if len(paths) > 1 else paths[0]
        known = replace(known, kind=kind, source=source, labels=narrow.labels, unsure=narrow.unsure)
    if labels is not None:
        known = labelled(known, [each.strip() for each in labels.split(",")])
    if fields:
        known = replace(known, fields=named_fields(fields))
    return replace(known, uid=uid or known.uid)


def _at(record: Mapping[str, object], path: str) -> object:
    """Return the value at a path, or None."""
    value: object = record
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def labelled(known: Guess, labels: list[str]) -> Guess:
    """Return the guess with the labels in this order. Raises InputError if they do not fit."""
    if not all(labels) or len(set(labels)) < len(labels):
        raise InputError("--labels: two are alike, or one is empty", "write them with commas: --labels good,fair,bad")
    if isinstance(known.source, Mapping):
        missing = set(known.source) ^ set(labels)
        if missing:
            raise InputError(f"--labels: {', '.join(sorted(missing))} has no column, or is not one of the labels")
        return replace(known, source={label: known.source[label] for label in labels}, labels=tuple(labels))
    if known.unsure and len(labels) != len(known.labels):
        raise InputError(f"--labels: {len(labels)} labels for lists of {len(known.labels)} numbers")
    return replace(known, labels=tuple(labels), unsure=False)


def named_fields(fields: tuple[str, ...]) -> dict[str, str]:
    """Return the paths of texts by name, from words of the form NAME=PATH. Raises InputError."""
    found: dict[str, str] = {}
    for pair in fields:
        name, sign, path = pair.partition("=")
        if not sign or not re.fullmatch(r"[A-Za-z_]\w*", name) or not path:
            raise InputError(f"--field {pair}: not of the form NAME=PATH", "a name has letters, digits and underscores")
        found[name] = path
    return found


def require_complete(known: Guess, file: Path) -> None:
    """Refuse a guess that is not enough for a task. Raises InputError, which says which option helps."""
    lacks = {
        "no field tells its items apart: give --uid": known.uid is None,
        "no field holds votes: give --votes, --human or --annotations": known.kind is None,
        "the labels have no names: give --labels": known.unsure,
        f"{len(known.labels)} labels, where 2 to {len(LETTERS)} can be asked: give --labels": not (
            2 <= len(known.labels) <= len(LETTERS)
        ),
        "no texts for the judge: give --field NAME=PATH": not known.fields,
    }
    for reason, is_so in lacks.items():
        if is_so:
            raise InputError(f"{file}: {reason}", "'judgeharness new-task --help' shows the forms that are understood")


def task_name(stem: str) -> str:
    """Return a name for the task, from the name of a file."""
    name = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._") or "task"
    return name if NAME.fullmatch(name) else "task"


def written(draft: Draft, file: Path) -> Task:
    """Write the task's files and return the task that is read from them.

    If the task cannot be read, the files are removed again. Raises HarnessError.
    """
    texts = {file.parent / draft.template: wording(draft), file.with_suffix(".toml"): task_toml(draft)}
    # Files from a call that was killed have the same content and may be there.
    there = [path for path in texts if os.path.lexists(path)]
    for path in there:
        if not is_file(path) or read_bytes(path) != texts[path].encode():
            raise InputError(f"{path}: already exists", "nothing was written; move it away, or rename the data")
    try:
        for path, text in texts.items():
            write(path, text)
        task = load_task(read_definition(file.with_suffix(".toml")), DataFolders.from_environment(), silent_meter)
        task.template.render(task.items[0], task.labels, range(len(task.labels)))
        return task
    except BaseException:
        for path in set(texts).difference(there):
            path.unlink(missing_ok=True)
        raise
