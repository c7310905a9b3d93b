"""Answers by content: a group that has been answered is never asked again."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Literal

import numpy as np

from judgeharness.backends.contract import Description
from judgeharness.domain.json_reader import read_json
from judgeharness.domain.nouns import MAX_TOTAL, PLACEHOLDER, Answer, GeneratedTexts, OptionScores
from judgeharness.store import shapes
from judgeharness.store.rows import SQL_FUNCTION, damaged, insert, intact, reading, require

FAULTY = f"(kind = 'logprob' AND faulty_logprobs(scores, censored) AND {intact('scores')})"
"""An SQL expression: whether a row of `scores` holds numbers that earlier versions mistook for log-probabilities.

Some servers return -9999.0 or similar for a token without a value, and some return 0 for all tokens. A damaged row is
not faulty; it is reported when it is read.
"""


class Answers:
    """The tables `scores`, `texts` and `backends`. Faulty scores count as missing."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.create_function("faulty_logprobs", 2, _are_faulty, deterministic=True)

    def add_backend(self, digest: str, description: Description) -> None:
        """Save a backend's description under its digest."""
        row = {"digest": digest, "description": json.dumps(dict(description), sort_keys=True)}
        if not insert(self._connection, "backends", [row], known="digest"):
            # In a rescued store the description may have been lost.
            query = f"UPDATE backends SET description = ?2, checksum = {SQL_FUNCTION}(?1, ?2) WHERE digest = ?1"
            self._connection.execute(f"{query} AND description <> ?2", tuple(row.values()))

    def description(self, digest: str) -> Description:
        """Return the description of the backend with a digest."""
        what = f"backend {digest[:12]}"
        with reading(what):
            text, whole = self._connection.execute(
                f"SELECT description, {intact('backends')} FROM backends WHERE digest = ?", (digest,)
            ).fetchone()
            require(whole, what)
            return shapes.mapping(text)

    def add(self, key: str, backend_digest: str, session_id: str, answer: Answer) -> None:
        """Save the answer to a group. An existing answer stays, unless it is faulty."""
        if isinstance(answer, GeneratedTexts):
            self._add_texts(key, backend_digest, session_id, answer)
        else:
            self._add_scores(key, backend_digest, session_id, answer)

    def _add_texts(self, key: str, backend_digest: str, session_id: str, texts: GeneratedTexts) -> None:
        row = {
            "key": key,
            "backend_digest": backend_digest,
            "session_id": session_id,
            "uid": texts.uid,
            "texts": json.dumps(texts.texts),
            "cut": json.dumps(texts.cut),
            "created": _now(),
        }
        insert(self._connection, "texts", [row], known="key")

    def _add_scores(self, key: str, backend_digest: str, session_id: str, scores: OptionScores) -> None:
        row = {
            "key": key,
            "backend_digest": backend_digest,
            "session_id": session_id,
            "uid": scores.uid,
            "kind": scores.kind,
            "scores": json.dumps(scores.scores.tolist()),
            "mass": None if scores.mass is None else json.dumps(scores.mass.tolist()),
            "censored": None if scores.censored is None else json.dumps(scores.censored.tolist()),
            "created": _now(),
        }
        self._connection.execute(f"DELETE FROM scores WHERE key = ? AND {FAULTY}", (key,))
        insert(self._connection, "scores", [row], known="key")

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return those of the keys that have an answer."""
        wanted = json.dumps(list(keys))
        query = (
            f"SELECT key FROM scores WHERE key IN (SELECT value FROM json_each(?1)) AND NOT {FAULTY}"
            " UNION ALL SELECT key FROM texts WHERE key IN (SELECT value FROM json_each(?1))"
        )
        return {row[0] for row in self._connection.execute(query, (wanted,))}

    def texts(self, key: str) -> GeneratedTexts | None:
        """Return the texts under a key, or None. Raises HarnessError if they are damaged."""
        row = self._connection.execute(
            f"SELECT {intact('texts')}, uid, texts, cut FROM texts WHERE key = ?", (key,)
        ).fetchone()
        return None if row is None else decoded_texts(key, *row)

    def scores(self, key: str, shape: tuple[int, int] | None = None) -> OptionScores | None:
        """Return the option scores under a key, or None.

        Args:
            key: The key of the answer.
            shape: The expected shape (prompts, labels), if it is known.

        Raises:
            HarnessError: The scores are damaged or have another shape.
        """
        row = self._connection.execute(
            f"SELECT {intact('scores')}, uid, kind, scores, mass, censored FROM scores WHERE key = ? AND NOT {FAULTY}",
            (key,),
        ).fetchone()
        found = None if row is None else decoded_scores(key, *row)
        if found is not None and shape is not None and found.scores.shape != shape:
            raise damaged(f"scores {key[:12]} of '{found.uid}'")
        return found


def _are_faulty(scores: str, censored: str | None) -> bool:
    """Return whether any of the log-probabilities, given as JSON of shape (prompts, labels), cannot be one."""
    try:
        rows = json.loads(scores)
        # Bounds can only raise a sum, so most answers are cleared without parsing which scores are bounds.
        suspect = [place for place, row in enumerate(rows) if min(row) <= PLACEHOLDER or _total(row) > MAX_TOTAL]
        bounds = json.loads(censored) if suspect and censored else None
        return any(_is_faulty(rows[place], bounds[place] if bounds else ()) for place in suspect)
    except (ValueError, TypeError, IndexError):
        return False


def _is_faulty(row: Sequence[float], bounds: Sequence[bool]) -> bool:
    known = [score for score, bound in zip_longest(row, bounds) if not bound]
    return min(row) <= PLACEHOLDER or _total(known) > MAX_TOTAL


def _total(logprobs: Iterable[float]) -> float:
    try:
        return sum(map(math.exp, logprobs))
    except OverflowError:
        return math.inf


def decoded_texts(key: str, whole: object, uid: str, texts: str, cut: str) -> GeneratedTexts:
    """Read texts from a row. Raises HarnessError if the row is damaged."""
    what = f"texts {key[:12]} of '{uid}'"
    require(whole, what)
    with reading(what):
        return GeneratedTexts(uid, shapes.words(texts), shapes.marks(cut))


def decoded_scores(
    key: str,
    whole: object,
    uid: str,
    kind: Literal["logit", "logprob"],
    scores: str,
    mass: str | None,
    censored: str | None,
) -> OptionScores:
    """Read option scores from a row. Raises HarnessError if the row is damaged."""
    what = f"scores {key[:12]} of '{uid}'"
    require(whole, what)
    with reading(what):
        return OptionScores(
            uid,
            np.array(read_json(scores), dtype=np.float64),
            kind,
            None if mass is None else np.array(read_json(mass), dtype=np.float64),
            None if censored is None else np.array(read_json(censored), dtype=np.bool_),
        )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
