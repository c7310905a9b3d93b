"""Stores as somebody would write them who means harm: sound rows with checksums, and whatever they like in them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from judgeharness.store.rows import register
from judgeharness.store.schema import COLUMNS, CONTENTS
from tests.backends.openai.standin import StandIn


def rewrite(store: Path, table: str, where: str = "1", **columns: Any) -> None:
    """Put values into columns of a table's rows, with the checksums that belong to them."""
    connection = sqlite3.connect(store, isolation_level=None)
    register(connection)
    for name, value in columns.items():
        connection.execute(f"UPDATE {table} SET {name} = ? WHERE {where}", (value,))
    connection.execute(f"UPDATE {table} SET checksum = row_checksum({', '.join(CONTENTS[table])})")
    connection.close()


def rewrite_request(store: Path, **parts: Any) -> None:
    """Put parts into what each run's record says that was asked for."""
    connection = sqlite3.connect(store)
    (record,) = connection.execute("SELECT record FROM runs LIMIT 1").fetchone()
    connection.close()
    found = json.loads(record)
    found["request"] |= parts
    rewrite(store, "runs", record=json.dumps(found))


class Listening(StandIn):
    """A server of a made-up model. asked: each path with the key that came with it. received: all headers."""

    def __init__(self) -> None:
        super().__init__("unknown")
        self.asked: list[tuple[str, str | None]] = []
        self.received: list[str] = []

    def handler(self):
        """Its handler, which tells of every request."""
        asked, received = self.asked, self.received

        class Handler(super().handler()):
            def parse_request(self):
                sound = super().parse_request()
                if sound:
                    asked.append((self.path, self.headers.get("Authorization")))
                    received.append(str(self.headers))
                return sound

        return Handler

    @property
    def keys(self) -> set[str | None]:
        """The keys that it was sent."""
        return {key for _, key in self.asked}


def texts(address: str, marker: Path, program: Path) -> list[str]:
    """Texts of somebody who means harm; `marker` is there once something ran, `address` is called if it is believed."""
    short = [
        "\x1b[2J\x1b]0;owned\x07\x9b31m\r",
        "\u202egnp.\u2066exe\u2069\u200b\u2028\ufeff",
        f"<script>fetch('{address}')</script><img src='{address}' onerror=alert(1)>\"'>",
        f"$(touch '{marker}')`touch '{marker}'`; touch '{marker}' #",
        "../../../../../../etc/passwd",
        "/dev/zero",
        f"{address}/v1",
        "{0.__class__.__mro__}%s%n{{ 7 * 7 }}{% for x in range(10**9) %}",
        f"[red]red[/red][link={address}]x[/link][/]",
        "\\input{/etc/passwd}\\immediate\\write18{touch " + str(marker) + "}",
        "=cmd|'/c calc'!A1\r\n,\"\n| a | b |",
        f"pipe:{program}",
        "\U000e0041\U0001f600é\u0301" * 100,
    ]
    return [*short, "x" * 1_000_000, *short, *short]


class Poison:
    """Changes texts that are not spared, the same one into the same."""

    def __init__(self, spared: Callable[[str], bool], harm: Sequence[str]) -> None:
        self._spared = spared
        self._harm = harm
        self._known: dict[str, str] = {}

    def column(self, value: Any) -> Any:
        """A column's value, of JSON each text, names included."""
        is_json = isinstance(value, str) and value.startswith(("{", "["))
        return json.dumps(self._inside(json.loads(value))) if is_json else self._inside(value)

    def _inside(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._other(value)
        if isinstance(value, list):
            return [self._inside(each) for each in value]
        if isinstance(value, dict):
            return {self._other(key): self._inside(each) for key, each in value.items()}
        return value

    def _other(self, text: str) -> str:
        if not text or self._spared(text):
            return text
        # Columns may have to be unique.
        return self._known.setdefault(text, f"{self._harm[len(self._known) % len(self._harm)]}{len(self._known)}")


def poison(store: Path, spared: Callable[[str], bool], harm: Sequence[str]) -> None:
    """Replace every text of a store that is not spared, with the checksums that belong."""
    changing = Poison(spared, harm)
    connection = sqlite3.connect(store, isolation_level=None)
    register(connection)
    for table, columns in COLUMNS.items():
        rows = connection.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchall()
        connection.execute(f"DELETE FROM {table}")
        places = ", ".join("?" * len(columns))
        for row in rows:
            values = [changing.column(each) for each in row]
            connection.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({places})", values)
        connection.execute(f"UPDATE {table} SET checksum = row_checksum({', '.join(CONTENTS[table])})")
    connection.close()
