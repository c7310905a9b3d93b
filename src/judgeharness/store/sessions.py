"""Sessions: calls of commands that ask or train, how they ended, and whether their processes are still alive."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.hashes import digest
from judgeharness.domain.locks import Lock, is_held, take
from judgeharness.store.records import SessionRecord
from judgeharness.store.rows import insert, intact, reading, require

RUNNING = "running"
INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class Session:
    """One call of a command that asks or trains.

    Attributes:
        requests: The requests that it spent; None if no model is paid by the request.
        tokens: The tokens that it spent; None if no model is paid by the request.
    """

    id: str
    started: str
    ended: str | None
    status: str
    requests: int | None
    tokens: int | None
    record: SessionRecord

    def document(self) -> dict[str, Any]:
        """Return the session with its record as plain JSON data."""
        known = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "record"}
        spent = ("requests", "tokens")
        return {name: v for name, v in known.items() if name not in spent or v is not None} | self.record.document()


class Sessions:
    """The table `sessions`. A running session holds a lock beside the store, which ends with its process."""

    def __init__(self, connection: sqlite3.Connection, store: Path, require_there: Callable[[], None]) -> None:
        self._connection = connection
        self._store = store
        self._require_there = require_there

    @contextmanager
    def recorded(self, session_id: str, record: SessionRecord) -> Iterator[None]:
        """Save a session's record at its start, and how it ended: done, failed or interrupted.

        Raises HarnessError if the store's folder is not writable, or if the store has gone by the end.
        """
        lock = self._locked(session_id)
        try:
            self.end_dead_ones()
            row = {"id": session_id, "started": _now(), "ended": None, "status": RUNNING, "record": record.text()}
            insert(self._connection, "sessions", [row])
            status = "failed"
            try:
                yield
                self._require_there()
                status = "done"
            except KeyboardInterrupt:
                status = INTERRUPTED
                raise
            finally:
                self._end(session_id, status)
        finally:
            lock.release()

    def end_dead_ones(self) -> None:
        """Mark sessions whose process is gone as interrupted, so that others can ask for what they were asking."""
        query = "SELECT id FROM sessions WHERE status = ?"
        for (session_id,) in self._connection.execute(query, (RUNNING,)).fetchall():
            if not is_held(self._lock_of(session_id)):
                self._end(session_id, INTERRUPTED)

    def find(self, session_id: str) -> Session:
        """Return a session. Raises HarnessError if its row is damaged."""
        what = f"session {session_id}"
        with reading(what):
            whole, started, ended, status, record = self._connection.execute(
                f"SELECT {intact('sessions')}, started, ended, status, record FROM sessions WHERE id = ?", (session_id,)
            ).fetchone()
            require(whole, what)
            found = SessionRecord.parse(record)
        requests, tokens = self._connection.execute(
            "SELECT sum(requests), sum(tokens) FROM spending WHERE session_id = ?", (session_id,)
        ).fetchone()
        if status == RUNNING and not is_held(self._lock_of(session_id)):
            status = INTERRUPTED
        return Session(session_id, started, ended, status, requests, tokens, found)

    def _end(self, session_id: str, status: str) -> None:
        self._connection.execute("DELETE FROM leases WHERE session_id = ?", (session_id,))
        self._connection.execute(
            "UPDATE sessions SET ended = ?, status = ? WHERE id = ? AND status = ?",
            (_now(), status, session_id, RUNNING),
        )

    def _locked(self, session_id: str) -> Lock:
        path = self._lock_of(session_id)
        try:
            lock = take(path)
        except OSError as error:
            raise HarnessError(
                f"{path.parent}: no lock can be made there: {error.strerror}", "keep the store on a local disk"
            ) from error
        if lock is None:
            raise HarnessError(f"session {session_id} is running already")
        return lock

    def _lock_of(self, session_id: str) -> Path:
        # An id may come from a stranger's store, so only a hash of it goes into a path.
        return self._store.parent / f".judgeharness-{digest(session_id)[:16]}.lock"


def _json(record: Mapping[str, Any]) -> str:
    return json.dumps(record, sort_keys=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
