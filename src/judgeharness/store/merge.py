"""Merge several stores into one. What two of them hold must agree."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import is_file
from judgeharness.domain.json_reader import read_json
from judgeharness.domain.scratch import scratch
from judgeharness.store.database import Store
from judgeharness.store.opening import UNREADABLE, read_only
from judgeharness.store.rows import damaged, intact, reading
from judgeharness.store.schema import COLUMNS, KEYS, MIGRATIONS
from judgeharness.store.sessions import INTERRUPTED, RUNNING
from judgeharness.store.transactions import transaction

MAX_NAMED = 3
OF_RUNS = ("predictions", "metrics")
CONTENT: Mapping[str, tuple[str, ...]] = {
    "backends": ("description",),
    "tasks": ("labels", "n_items"),
    "items": ("uid", "human"),
    "scores": ("kind", "scores", "mass", "censored"),
    "texts": ("texts", "cut"),
    "explanations": ("label", "text"),
    "predictions": ("probabilities",),
}
"""The columns that must agree in rows with the same key. The others say when, where and by whom a row was made."""

NUMBERS = {"scores": ("scores", "mass"), "predictions": ("probabilities",)}
"""Columns of numbers, which may differ by the tolerance."""

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Merged:
    """How many rows of a table were added, and how many were already known."""

    added: int
    known: int


def merge(target: Store, sources: Sequence[Path], tolerance: float) -> dict[str, Merged]:
    """Add everything in the sources to the target, or nothing if that fails. Returns counts of rows by table.

    Args:
        target: The store to add to.
        sources: The stores to add.
        tolerance: How much numbers in the same answer may differ. Those of the target stay.

    Raises:
        InputError: A source is not a store.
        HarnessError: A source is damaged, or differs from the target in something that both hold.
    """
    counts = {table: [0, 0] for table in COLUMNS}
    with scratch() as folder:
        ready = [_up_to_date(path, folder / f"{place}.db") for place, path in enumerate(sources)]
        with transaction(target.connection):
            for given, path in zip(sources, ready, strict=True):
                with _reading(path, given) as source:
                    _Merge(target.connection, source, given, tolerance).carry_out(counts)
    return {table: Merged(*numbers) for table, numbers in counts.items()}


def _up_to_date(path: Path, copy: Path) -> Path:
    """Return the store itself, or an upgraded copy if it is older. Sources are never changed."""
    if not is_file(path):
        raise InputError(f"{path}: no store there")
    with _reading(path, path) as source:
        version = source.execute("PRAGMA user_version").fetchone()[0]
        older = 0 < version < len(MIGRATIONS)
        if older:
            with contextlib.closing(sqlite3.connect(copy)) as written:
                source.backup(written)
    found = copy if older else path
    Store.open(found, create=False).close()
    return found


@contextlib.contextmanager
def _reading(path: Path, given: Path) -> Iterator[sqlite3.Connection]:
    """Read one state of a store while others may write to it. Raises InputError if it cannot be read."""
    try:
        with contextlib.closing(read_only(path)) as connection:
            yield connection
    except UNREADABLE as error:
        if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL:
            # The disk that is full is the target's.
            raise
        raise InputError(f"{given}: cannot be read as a store: {error}", "'judgeharness store check' looks") from error


class _Merge:
    """Adds one store to another, within a transaction of the latter."""

    def __init__(self, target: sqlite3.Connection, source: sqlite3.Connection, given: Path, tolerance: float) -> None:
        self._target = target
        self._source = source
        self._given = given
        self._tolerance = tolerance

    def carry_out(self, counts: Mapping[str, list[int]]) -> None:
        """Add all tables. `counts` holds the added and the known rows by table."""
        self._source.execute("BEGIN")
        for table in COLUMNS:
            broken = self._source.execute(f"SELECT count(*) FROM {table} WHERE NOT {intact(table)}").fetchone()[0]
            if broken:
                raise damaged(f"{self._given}: {broken} rows of {table}")
        for table in COLUMNS:
            new, old = self._merge_runs() if table == "runs" else (0, 0) if table in OF_RUNS else self._merge(table)
            counts[table][0] += new
            counts[table][1] += old
        for answers in ("scores", "texts"):
            self._target.execute(f"DELETE FROM replies WHERE group_key IN (SELECT key FROM {answers})")

    def _merge(self, table: str) -> tuple[int, int]:
        """Return how many rows were added, and how many already existed."""
        added, known, differing = 0, 0, []
        for row in self._rows(self._source, table):
            own = next(self._rows(self._target, table, {name: row[name] for name in KEYS[table]}), None)
            if own is None:
                self._put(table, row)
                added += 1
                continue
            known += 1
            if not self._same(table, own, row):
                differing.append(" ".join(str(row[name])[:12] for name in KEYS[table]))
            self._bring_up_to_date(table, own, row)
        self._require_none(table, differing)
        return added, known

    def _bring_up_to_date(self, table: str, own: Row, other: Row) -> None:
        """Take over what a session has done since its store was last merged."""
        if table == "sessions" and own["status"] in (RUNNING, INTERRUPTED) and other["ended"] is not None:
            query = "UPDATE sessions SET ended = ?, status = ? WHERE id = ?"
            self._target.execute(query, (other["ended"], other["status"], other["id"]))
        if table == "spending" and other["requests"] >= own["requests"]:
            query = "UPDATE spending SET requests = ?, tokens = ? WHERE session_id = ? AND scope = ?"
            self._target.execute(query, (other["requests"], other["tokens"], other["session_id"], other["scope"]))

    def _merge_runs(self) -> tuple[int, int]:
        """If both stores have a run, keep the one with fewer failures, or the newer one if these are equal."""
        added, known = 0, 0
        for row in self._rows(self._source, "runs"):
            own = next(self._rows(self._target, "runs", {"id": row["id"]}), None)
            if own is not None:
                known += 1
                self._require_same_predictions(row["id"])
                if (own["n_failed"], row["created"]) <= (row["n_failed"], own["created"]):
                    continue
                self._target.execute("DELETE FROM runs WHERE id = ?", (row["id"],))
            else:
                added += 1
            self._put("runs", row)
            for table in OF_RUNS:
                for part in self._rows(self._source, table, {"run_id": row["id"]}):
                    self._put(table, part)
        return added, known

    def _require_same_predictions(self, run_id: str) -> None:
        own = {row["uid"]: row for row in self._rows(self._target, "predictions", {"run_id": run_id})}
        differing = [
            f"{run_id} {row['uid']}"
            for row in self._rows(self._source, "predictions", {"run_id": run_id})
            if _both_have_one(own.get(row["uid"]), row) and not self._same("predictions", own[row["uid"]], row)
        ]
        self._require_none("predictions", differing)

    def _same(self, table: str, own: Row, other: Row) -> bool:
        return all(
            own[name] == other[name]
            or (name in NUMBERS.get(table, ()) and _near(own[name], other[name], self._tolerance))
            for name in CONTENT.get(table, ())
        )

    def _require_none(self, table: str, differing: Sequence[str]) -> None:
        if differing:
            named = ", ".join(differing[:MAX_NAMED]) + (", ..." if len(differing) > MAX_NAMED else "")
            raise HarnessError(
                f"{self._given}: {len(differing)} rows of {table} are there already and differ: {named}",
                f"nothing was merged; the same number may differ by {self._tolerance:g} (--tolerance)",
            )

    def _put(self, table: str, row: Row) -> None:
        query = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})"
        self._target.execute(query, tuple(row.values()))

    @staticmethod
    def _rows(connection: sqlite3.Connection, table: str, where: Mapping[str, Any] | None = None) -> Iterator[Row]:
        names = [*COLUMNS[table], "checksum"]
        query = f"SELECT {', '.join(names)} FROM {table}"
        if where:
            query += " WHERE " + " AND ".join(f"{name} = ?" for name in where)
        for values in connection.execute(query, tuple((where or {}).values())):
            yield dict(zip(names, values, strict=True))


def _near(own: str | None, other: str | None, tolerance: float) -> bool:
    """Return whether two JSON texts of numbers agree."""
    if own is None or other is None:
        return False
    with reading("numbers that are there twice"):
        left, right = (np.array(read_json(text), dtype=np.float64) for text in (own, other))
        return left.shape == right.shape and bool(np.allclose(left, right, rtol=0, atol=tolerance))


def _both_have_one(own: Row | None, other: Row) -> bool:
    """Return whether both runs have a prediction. If one lacks it, it failed there, which is no contradiction."""
    return own is not None and own["probabilities"] is not None and other["probabilities"] is not None
