"""Rows with checksums, which tell whether a row is intact.

SQLite notices inconsistent pages, but not a changed digit in a text. A checksum detects faulty disks and faulty copies.
It is not a signature: anybody can compute another one.
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
    """Return the CRC-32 of a row's values. A whole number has the same checksum as int and as float."""
    parts = (repr(float(value)) if isinstance(value, int | float) else repr(value) for value in values)
    return zlib.crc32("\x1f".join(parts).encode("utf-8", "surrogatepass"))


def register(connection: sqlite3.Connection) -> None:
    """Make the checksum available in SQL, as `row_checksum(...)`."""
    connection.create_function(SQL_FUNCTION, -1, checksum, deterministic=True)


def insert(connection: sqlite3.Connection, table: str, rows: Iterable[Mapping[str, Any]], known: str = "") -> int:
    """Insert rows with their checksums, and return how many were added.

    Args:
        connection: The store.
        table: The table.
        rows: The rows, by column.
        known: Columns by which a row is skipped if it exists.

    Raises:
        KeyError: A row lacks a column.
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
    """Return an SQL expression for the checksum that a row should have."""
    return f"{SQL_FUNCTION}({', '.join(f'{table}.{name}' for name in CONTENTS[table])})"


def intact(table: str) -> str:
    """Return an SQL expression for whether a row is as it was written."""
    return f"({table}.checksum IS {sealed(table)})"


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Guard the reading of a row's JSON. Raises HarnessError if it does not have the expected shape."""
    try:
        yield
    except (ValueError, ArithmeticError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
        raise damaged(what) from error


def require(whole: object, what: str) -> None:
    """Raise HarnessError if a row is not `intact`."""
    if not whole:
        raise damaged(what)


def damaged(what: str) -> HarnessError:
    """Return the error for a row that cannot be trusted."""
    return HarnessError(f"the store is damaged: {what}: {LOST}", "'judgeharness store rescue' keeps what is whole")
