"""Answers by content: a group that was answered once is never asked again."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

import numpy as np

from judgeharness.backends.contract import Description
from judgeharness.domain import Answer, GeneratedTexts, OptionScores


class Answers:
    """The tables `scores`, `texts` and `backends`."""

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

    def add(self, key: str, backend_digest: str, session_id: str, answer: Answer) -> None:
        """Keep the answer to a group; committed when this returns. What is there already stays."""
        if isinstance(answer, GeneratedTexts):
            self._add_texts(key, backend_digest, session_id, answer)
        else:
            self._add_scores(key, backend_digest, session_id, answer)

    def _add_texts(self, key: str, backend_digest: str, session_id: str, texts: GeneratedTexts) -> None:
        self._connection.execute(
            "INSERT INTO texts (key, backend_digest, session_id, uid, texts, cut, created)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (
                key,
                backend_digest,
                session_id,
                texts.uid,
                json.dumps(texts.texts),
                json.dumps(texts.cut),
                _now(),
            ),
        )

    def _add_scores(self, key: str, backend_digest: str, session_id: str, scores: OptionScores) -> None:
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
                _now(),
            ),
        )

    def known(self, keys: Iterable[str]) -> set[str]:
        """Those of the keys that have an answer."""
        wanted = json.dumps(list(keys))
        query = (
            "SELECT key FROM scores WHERE key IN (SELECT value FROM json_each(?1))"
            " UNION ALL SELECT key FROM texts WHERE key IN (SELECT value FROM json_each(?1))"
        )
        return {row[0] for row in self._connection.execute(query, (wanted,))}

    def texts(self, key: str) -> GeneratedTexts | None:
        """The texts under a key, or None."""
        row = self._connection.execute("SELECT uid, texts, cut FROM texts WHERE key = ?", (key,)).fetchone()
        return None if row is None else GeneratedTexts(row[0], tuple(json.loads(row[1])), tuple(json.loads(row[2])))

    def scores(self, key: str) -> OptionScores | None:
        """The option scores under a key, or None."""
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


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
