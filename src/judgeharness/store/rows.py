"""Rows that tell whether they are whole: each carries a checksum of its columns.

SQLite notices pages that do not hang together, and no changed digit in a text. A checksum finds both bad disks and bad
copies; it is no signature, and anybody who means to can make another.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from judgeharness.domain.api_keys import scrubbed
from judgeharness.domain.errors import HarnessError
from judgeharness.store.schema import COLUMNS, CONTENTS

SQL_FUNCTION = "row_checksum"
LOST = "its content is not what was written"


def checksum(*values: str | float | None) -> int:
    """CRC-32 of a row's values. A number is the same whether it was given as a whole one or not."""
    parts = (repr(float(value)) if isinstance(value, int | float) else repr(value) for value in values)
    return zlib.crc32("\x1f".join(parts).encode("utf-8", "surrogatepass"))


def register(connection: sqlite3.Connection) -> None:
    """Make the checksum known to SQL, as `row_checksum(...)`."""
    connection.create_function(SQL_FUNCTION, -1, checksum, deterministic=True)


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]], known: str = "") -> int:
    """Add rows with their checksums and without keys; how many were added.

    known: columns by which a row is passed over if it is there.

    Raises KeyError where a row lacks a column.
    """
    columns = COLUMNS[table]
    places = {name: f"?{place}" for place, name in enumerate(columns, start=1)}
    sums = ", ".join(places[name] for name in CONTENTS[table])
    query = (
        f"INSERT INTO {table} ({', '.join(columns)}, checksum)"
        f" VALUES ({', '.join(places.values())}, {SQL_FUNCTION}({sums}))"
    )
    if known:
        query += f" ON CONFLICT ({known}) DO NOTHING"
    return connection.executemany(query, ([scrubbed(row[name]) for name in columns] for row in rows)).rowcount


def sealed(table: str) -> str:
    """An SQL expression: a row's checksum as it should be."""
    return f"{SQL_FUNCTION}({', '.join(f'{table}.{name}' for name in CONTENTS[table])})"


def intact(table: str) -> str:
    """An SQL expression: whether a row is as it was written."""
    return f"({table}.checksum IS {sealed(table)})"


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Reads a row's JSON. Raises HarnessError where it is not of the kind that is written there."""
    try:
        yield
    except (ValueError, ArithmeticError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise damaged(what) from error


def require(whole: object, what: str) -> None:
    """Raises HarnessError for a row that is not `intact`."""
    if not whole:
        raise damaged(what)


def damaged(what: str) -> HarnessError:
    """The error of a row that cannot be trusted."""
    return HarnessError(f"the store is damaged: {what}: {LOST}", "'judgeharness store rescue' keeps what is whole")
