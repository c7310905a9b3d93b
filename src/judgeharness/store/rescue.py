"""Copy what can still be read of a damaged store to a new one.

Answers cost the most, so every intact row of them is kept. What is derived from them is kept only if it is complete: a
task with all its items, a run with all its predictions. The same evaluation makes the others again.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import is_file
from judgeharness.store.check import has_checksums, read_damaged
from judgeharness.store.database import new_store
from judgeharness.store.opening import UNREADABLE
from judgeharness.store.rows import checksum, insert
from judgeharness.store.schema import COLUMNS, CONTENTS, KEYS
from judgeharness.store.transactions import transaction
from judgeharness.tasks.explanations import ExplanationSet, GivenExplanation

Row = dict[str, Any]

MAX_HALVINGS = 14
LOST = {"lost": True, "command": [], "judgeharness": "?", "python": "?", "packages": {}}
WIDEST_CHARACTER = 0x10FFFF
GATHERED = ("tasks", "items", "explanation_sets", "explanations", "runs", "predictions", "metrics")
PARENTS = {"backend_digest": ("backends", "digest"), "session_id": ("sessions", "id")}
ADDED_SINCE = {"predictions": {"text_keys": "[]"}}
"""The values of columns that older stores do not have."""


@dataclass(frozen=True, slots=True)
class Rescued:
    """Rows of a table that could be read.

    Attributes:
        kept: Rows in the new store.
        damaged: Rows that are damaged.
        orphaned: Intact rows that belong to something incomplete.
    """

    kept: int
    damaged: int
    orphaned: int = 0


def rescue(source: Path, target: Path) -> Mapping[str, Rescued]:
    """Copy everything intact to a new store. Returns counts of rows by table.

    Raises:
        InputError: The source is missing, or the target exists.
        HarnessError: Nothing can be read.
    """
    if not is_file(source):
        raise InputError(f"{source}: no store there")
    if os.path.lexists(target):
        raise InputError(f"{target}: already exists", "a rescue makes a new store")
    try:
        with contextlib.closing(read_damaged(source)) as damaged:
            # This comes before anything is created, because nothing can be read without the list of tables.
            there = {row[0] for row in damaged.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
            with new_store(target) as store:
                return _Rescue(damaged, store.connection).carry_out([table for table in COLUMNS if table in there])
    except UNREADABLE as error:
        raise HarnessError(f"{source}: nothing can be read: {error}", "go back to a copy") from error


class _Rescue:
    """Copies answers as they are read, and first gathers what may turn out to be incomplete."""

    def __init__(self, damaged: sqlite3.Connection, target: sqlite3.Connection) -> None:
        self._damaged = damaged
        self._target = target
        self._with_checksums = has_checksums(damaged)
        self._gathered: dict[str, list[Row]] = {}
        self._broken = dict.fromkeys(COLUMNS, 0)
        self._kept = dict.fromkeys(COLUMNS, 0)
        self._orphaned = dict.fromkeys(COLUMNS, 0)

    def carry_out(self, tables: Sequence[str]) -> dict[str, Rescued]:
        with transaction(self._target):
            for table in tables:
                if table in GATHERED:
                    self._gathered[table] = list(self._whole(table))
                else:
                    self._write(table, self._whole(table))
            for table, rows in _complete(self._gathered).items():
                self._orphaned[table] = len(self._gathered[table]) - len(rows)
                self._write(table, rows)
        return {table: Rescued(self._kept[table], self._broken[table], self._orphaned[table]) for table in COLUMNS}

    def _whole(self, table: str) -> Iterator[Row]:
        for row in _rows(self._damaged, table, self._gathered):
            if _is_whole(table, row, self._with_checksums):
                yield row
            else:
                self._broken[table] += 1

    def _write(self, table: str, rows: Iterable[Row]) -> None:
        for row in rows:
            try:
                _stand_in_for_parents(self._target, row)
                self._kept[table] += insert(self._target, table, [row], known=", ".join(KEYS[table]))
            except (sqlite3.IntegrityError, UnicodeEncodeError):
                self._broken[table] += 1


def _is_whole(table: str, row: Row, with_checksums: bool) -> bool:
    sound = all(value is None or isinstance(value, int | float | str) for value in row.values())
    return sound and (not with_checksums or row["checksum"] == checksum(*(row[name] for name in CONTENTS[table])))


def _rows(connection: sqlite3.Connection, table: str, found: Mapping[str, list[Row]]) -> Iterator[Row]:
    """Yield each row of a table once.

    A table sorted by two columns is read in parts, one for each value of the first.
    """
    try:
        names = [column[0] for column in connection.execute(f"SELECT * FROM {table} LIMIT 0").description]
    except UNREADABLE:
        # The description of the table is damaged itself.
        return
    groups: list[tuple[str, tuple[Any, ...]]] = [("1", ())]
    by = KEYS[table][-1]
    if table == "items":
        groups = [("task_digest = ?", (task["digest"],)) for task in found["tasks"]]
    elif table in ("predictions", "metrics"):
        groups = [("run_id = ?", (run["id"],)) for run in found["runs"]]
    elif table not in ("scores", "texts"):
        by = "rowid"
    for condition, values in groups:
        for row in _Sorted(connection, f"SELECT {by}, * FROM {table} WHERE {condition}", values, by).rows():
            yield {**ADDED_SINCE.get(table, {}), **dict(zip(names, row[1:], strict=True))}


class _Sorted:
    """A query's rows in the order of a column.

    They are read from both ends and from the middle, around damaged places.
    """

    def __init__(self, connection: sqlite3.Connection, query: str, values: tuple[Any, ...], by: str) -> None:
        self._connection = connection
        self._query = query
        self._values = values
        self._by = by
        self._counted = by in ("rowid", "position")

    def rows(self) -> Iterator[tuple[Any, ...]]:
        """Yield all rows that can be read. The first value of each is that of the column."""
        ends: tuple[Any, Any] = (-1, 1 << 62) if self._counted else ("", chr(WIDEST_CHARACTER))
        yield from self._between(*ends, MAX_HALVINGS)

    def _between(self, low: Any, high: Any, halvings: int) -> Iterator[tuple[Any, ...]]:
        for order in ("ASC", "DESC"):
            last, whole = yield from self._read(low, high, order)
            if whole:
                return
            if last is not None:
                low, high = (last, high) if order == "ASC" else (low, last)
        half = (_middle_number if self._counted else _middle_text)(low, high)
        if halvings and half is not None:
            yield from self._between(low, half, halvings - 1)
            yield from self._one(half)
            yield from self._between(half, high, halvings - 1)

    def _read(self, low: Any, high: Any, order: str) -> Generator[tuple[Any, ...], None, tuple[Any, bool]]:
        """Yield the rows between two values. Returns the last value that was read, and whether the end was reached."""
        last = None
        bounds = f" AND {self._by} > ? AND {self._by} < ? ORDER BY {self._by} {order}"
        try:
            for row in self._connection.execute(self._query + bounds, (*self._values, low, high)):
                last = row[0]
                yield row
        except UNREADABLE:
            return last, False
        return last, True

    def _one(self, value: Any) -> Iterator[tuple[Any, ...]]:
        with contextlib.suppress(*UNREADABLE):
            yield from self._connection.execute(f"{self._query} AND {self._by} = ?", (*self._values, value))


def _middle_number(low: int, high: int) -> int | None:
    half = (low + high) // 2
    return half if low < half < high else None


def _middle_text(low: str, high: str) -> str | None:
    """Return a text between two others in SQLite's order, which is by code point."""
    base, length = WIDEST_CHARACTER + 1, max(len(low), len(high)) + 1
    numbers = []
    for text in (low, high):
        value = 0
        for place in range(length):
            value = value * base + (ord(text[place]) + 1 if place < len(text) else 0)
        numbers.append(value)
    half = sum(numbers) // 2
    characters = []
    for _ in range(length):
        half, code = divmod(half, base)
        characters.append(code)
    found = "".join(chr(_no_surrogate(code - 1)) for code in reversed(characters) if code > 0)
    return found if low < found < high else None


def _no_surrogate(code: int) -> int:
    return 0xD7FF if 0xD800 <= code < 0xE000 else code


def _complete(found: Mapping[str, list[Row]]) -> dict[str, list[Row]]:
    """Return the rows of everything that is complete, in the order in which they can be written."""
    rows = {table: found.get(table, []) for table in GATHERED}
    items, predictions = _counted(rows["items"], "task_digest"), _counted(rows["predictions"], "run_id")
    tasks = {row["digest"] for row in rows["tasks"] if items.get(row["digest"]) == row["n_items"]}
    runs = {
        row["id"]
        for row in rows["runs"]
        if predictions.get(row["id"]) == row["n_items"] and row["task_digest"] in tasks
    }
    sets = {row["id"] for row in rows["explanation_sets"] if _has_all_texts(row, rows["explanations"])}
    owners = {"tasks": tasks, "items": tasks, "explanation_sets": sets, "explanations": sets}
    return {
        table: [row for row in rows[table] if row[KEYS[table][0]] in owners.get(table, runs)]
        for table in GATHERED
        if table in found
    }


def _has_all_texts(row: Row, explanations: list[Row]) -> bool:
    """Return whether a set has the content that its id is a hash of."""
    by_uid: dict[str, list[GivenExplanation]] = {}
    for each in sorted(explanations, key=lambda each: each["position"]):
        if each["set_id"] == row["id"]:
            by_uid.setdefault(each["uid"], []).append(GivenExplanation(each["text"], each["label"], each["text_key"]))
    found = ExplanationSet(row["name"], {uid: tuple(shown) for uid, shown in by_uid.items()}, {})
    return bool(found.id == row["id"])


def _counted(rows: list[Row], column: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row[column]] = counts.get(row[column], 0) + 1
    return counts


def _stand_in_for_parents(connection: sqlite3.Connection, row: Row) -> None:
    """Add a stand-in for a lost session or backend, because its answers are worth keeping."""
    for column, (table, key) in PARENTS.items():
        if column not in row:
            continue
        text = json.dumps(LOST)
        stand_in = (
            {"digest": row[column], "description": text}
            if table == "backends"
            else {"id": row[column], "started": "?", "ended": None, "status": "failed", "record": text}
        )
        insert(connection, table, [stand_in], known=key)
