"""Option scores by content: a group that was scored once is never scored again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from judgeharness.backends.contract import Description
from judgeharness.domain import OptionScores


class Scores:
    """The tables `scores` and `backends`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_backend(self, digest: str, description: Description) -> None:
        """Keep what a backend says of itself under its digest."""
        self._connection.execute(
            "INSERT INTO backends (digest, description) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING",
            (digest, json.dumps(dict(description), sort_keys=True)),
        )

    def description(self, digest: str) -> Description:
        """What the backend under a digest says of itself."""
        row = self._connection.execute("SELECT description FROM backends WHERE digest = ?", (digest,)).fetchone()
        found: Description = json.loads(row[0])
        return found

    def add(self, key: str, backend_digest: str, session_id: str, scores: OptionScores) -> None:
        """Keep a group's scores; committed when this returns. What is there already stays."""
        self._connection.execute(
            "INSERT INTO scores (key, backend_digest, session_id, uid, kind, scores, mass, censored, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (
                key,
                backend_digest,
                session_id,
                scores.uid,
                scores.kind,
                json.dumps(scores.scores.tolist()),
                None if scores.mass is None else json.dumps(scores.mass.tolist()),
                None if scores.censored is None else json.dumps(scores.censored.tolist()),
                datetime.now(UTC).isoformat(timespec="seconds"),
            ),
        )

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have scores."""
        query = "SELECT key FROM scores WHERE key IN (SELECT value FROM json_each(?))"
        return {row[0] for row in self._connection.execute(query, (json.dumps(list(keys)),))}

    def get(self, key: str) -> OptionScores | None:
        """The scores under a key, or None."""
        row = self._connection.execute(
            "SELECT uid, kind, scores, mass, censored FROM scores WHERE key = ?", (key,)
        ).fetchone()
        if row is None:
            return None
        uid, kind, scores, mass, censored = row
        return OptionScores(
            uid,
            np.array(json.loads(scores), dtype=np.float64),
            kind,
            None if mass is None else np.array(json.loads(mass), dtype=np.float64),
            None if censored is None else np.array(json.loads(censored), dtype=np.bool_),
        )
