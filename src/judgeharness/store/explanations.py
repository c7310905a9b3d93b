"""Explanations that models generated or that were read from files, with their origin."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from judgeharness.domain.errors import InputError
from judgeharness.store import shapes
from judgeharness.store.rows import insert, intact, reading, require
from judgeharness.store.transactions import transaction
from judgeharness.tasks.explanations import ExplanationSet, GivenExplanation


@dataclass(frozen=True, slots=True)
class StoredSet:
    """A set of explanations without its texts: its name, its origin, and how many explanations it has."""

    id: str
    created: str
    name: str
    origin: Mapping[str, Any]
    count: int


class Explanations:
    """The tables `explanation_sets` and `explanations`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add(self, given: ExplanationSet, session_id: str) -> ExplanationSet:
        """Save a set and return it. If the same set exists, it stays under its name and is returned."""
        with transaction(self._connection):
            row = {
                "id": given.id,
                "created": datetime.now(UTC).isoformat(timespec="seconds"),
                "session_id": session_id,
                "name": given.name,
                "origin": json.dumps(dict(given.origin), sort_keys=True),
            }
            if insert(self._connection, "explanation_sets", [row], known="id"):
                insert(self._connection, "explanations", _rows(given))
        return self.find(given.id)

    def all(self) -> list[StoredSet]:
        """Return every set, oldest first."""
        rows = self._connection.execute(
            "SELECT s.id, s.created, s.name, s.origin, count(e.set_id) FROM explanation_sets s"
            " LEFT JOIN explanations e ON e.set_id = s.id GROUP BY s.id ORDER BY s.created, s.id"
        )
        with reading("the sets of explanations"):
            return [
                StoredSet(key, created, name, shapes.mapping(origin), count)
                for key, created, name, origin, count in rows
            ]

    def find(self, prefix: str) -> ExplanationSet:
        """Return the set whose id starts with `prefix`. Raises InputError if none or several do."""
        rows = self._connection.execute(
            "SELECT id, name, origin FROM explanation_sets WHERE substr(id, 1, ?) = ? ORDER BY id",
            (len(prefix), prefix),
        ).fetchall()
        if not rows:
            raise InputError(
                f"no explanations '{prefix}' in this store, nor a file of that name",
                "'judgeharness explain' has a model write some; 'human' stands for the task's own",
            )
        if len(rows) > 1:
            raise InputError(f"'{prefix}' fits {len(rows)} sets: {', '.join(row[0] for row in rows[:5])}")
        key, name, origin = rows[0]
        by_uid: dict[str, list[GivenExplanation]] = {}
        for uid, label, text, text_key, whole in self._connection.execute(
            f"SELECT uid, label, text, text_key, {intact('explanations')} FROM explanations WHERE set_id = ?"
            " ORDER BY rowid",
            (key,),
        ):
            require(whole, f"an explanation of '{uid}' in the set {key}")
            by_uid.setdefault(uid, []).append(GivenExplanation(text, label, text_key))
        with reading(f"the set {key}"):
            return ExplanationSet(name, {uid: tuple(shown) for uid, shown in by_uid.items()}, shapes.mapping(origin))


def _rows(given: ExplanationSet) -> Iterator[dict[str, Any]]:
    for uid, shown in given.by_uid.items():
        for position, each in enumerate(shown):
            yield {
                "set_id": given.id,
                "uid": uid,
                "position": position,
                "label": each.label,
                "text": each.text,
                "text_key": each.text_key,
            }
