"""State while answers are being made: who asks for which group, replies to single prompts, and what was spent.

It is written with each request, through a connection that does not wait for the disk. If the process is killed, nothing
is lost; in a power failure, only the last moments are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from functools import cached_property

from judgeharness.store.rows import insert, intact
from judgeharness.store.transactions import transaction


class Journal:
    """The tables `leases`, `replies` and `spending`. `connect` opens another connection to the store."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect

    @cached_property
    def _connection(self) -> sqlite3.Connection:
        found = self._connect()
        # With a write-ahead log this protects against everything but a power failure: https://sqlite.org/pragma.html
        found.execute("PRAGMA synchronous = NORMAL")
        return found

    def lease(self, key: str, session_id: str) -> bool:
        """Note that a session asks for a group. Returns False if any session already does, including this one."""
        query = "INSERT INTO leases (key, session_id) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
        return self._connection.execute(query, (key, session_id)).rowcount == 1

    def release(self, key: str) -> None:
        """Note that the group is no longer asked for."""
        self._connection.execute("DELETE FROM leases WHERE key = ?", (key,))

    def replies(self, key: str) -> dict[int, str]:
        """Return the replies to a group's prompts so far, as JSON, by the prompt's position.

        Damaged replies are left out.
        """
        query = f"SELECT position, reply FROM replies WHERE group_key = ? AND {intact('replies')}"
        return dict(self._connection.execute(query, (key,)).fetchall())

    def keep(self, key: str, position: int, reply: str, backend_digest: str, session_id: str) -> None:
        """Save the reply to one prompt of a group."""
        row = {
            "group_key": key,
            "position": position,
            "backend_digest": backend_digest,
            "session_id": session_id,
            "reply": reply,
        }
        insert(self._connection, "replies", [row], known="group_key, position")

    def spend(self, session_id: str, scope: str, requests: int, tokens: int) -> None:
        """Add to what a session has spent on a scope. `tokens` may be negative, to correct an estimate."""
        if not insert(
            self._connection,
            "spending",
            [{"session_id": session_id, "scope": scope, "requests": requests, "tokens": tokens}],
            known="session_id, scope",
        ):
            self._connection.execute(
                "UPDATE spending SET requests = requests + ?, tokens = tokens + ? WHERE session_id = ? AND scope = ?",
                (requests, tokens, session_id, scope),
            )

    def exclusive(self) -> AbstractContextManager[None]:
        """Return a transaction during which nobody else can spend anything."""
        return transaction(self._connection)

    def spent(self, scopes: Collection[str]) -> tuple[int, int]:
        """Return the requests and tokens that all sessions have spent on these scopes."""
        places = ", ".join("?" * len(scopes))
        query = f"SELECT coalesce(sum(requests), 0), coalesce(sum(tokens), 0) FROM spending WHERE scope IN ({places})"
        requests, tokens = self._connection.execute(query, tuple(scopes)).fetchone()
        return requests, tokens

    def close(self) -> None:
        """Close the connection, if it was opened."""
        if "_connection" in self.__dict__:
            self._connection.close()
