"""Check whether a store is intact, as far as that can be told: pages, references and rows."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from judgeharness.domain.errors import InputError
from judgeharness.domain.files import is_file
from judgeharness.store.opening import UNREADABLE, read_only
from judgeharness.store.rows import intact
from judgeharness.store.schema import APPLICATION_ID, COLUMNS, KEYS, MIGRATIONS
from judgeharness.store.upgrading import expected_tables

MAX_SHOWN = 20


def problems(path: Path) -> list[str]:
    """Describe what is wrong with a store, with at most MAX_SHOWN lines of a kind.

    The list is empty if nothing was found.

    Raises InputError if there is no store.
    """
    if not is_file(path):
        raise InputError(f"{path}: no store there")
    with contextlib.closing(read_damaged(path)) as connection:
        try:
            return [*_header(connection), *_pages(connection), *_references(connection), *_rows(connection)]
        except UNREADABLE as error:
            return [f"cannot be read: {error}"]


def read_damaged(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing and reads damaged texts too."""
    connection = read_only(path)
    # Bytes that are not UTF-8 are damage to one row, and must not end the reading.
    connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
    return connection


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Return whether the store's rows have checksums. They do since version 3."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version >= 3


def _header(connection: sqlite3.Connection) -> Iterator[str]:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION_ID:
        yield "the file does not say that it is a store of judgeharness"
    if not 0 < version <= len(MIGRATIONS):
        yield f"the file says that it is of version {version}, and this judgeharness knows 1 to {len(MIGRATIONS)}"


def _pages(connection: sqlite3.Connection) -> Iterator[str]:
    for (line,) in connection.execute(f"PRAGMA integrity_check({MAX_SHOWN})"):
        if line != "ok":
            yield " ".join(str(line).split())


def _references(connection: sqlite3.Connection) -> Iterator[str]:
    rows = connection.execute("PRAGMA foreign_key_check").fetchmany(MAX_SHOWN)
    for table, _, parent, _ in rows:
        yield f"a row of {table} refers to a row of {parent} that is not there"


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    if not has_checksums(connection):
        return
    expected = expected_tables(connection.execute("PRAGMA user_version").fetchone()[0])
    for table in filter(expected.__contains__, COLUMNS):
        key = " || ' ' || ".join(f"substr({name}, 1, 40)" for name in KEYS[table])
        query = f"SELECT {key} FROM {table} WHERE NOT {intact(table)} LIMIT {MAX_SHOWN}"
        for (name,) in connection.execute(query):
            yield f"{table}: the content of {name} is not what was written"
