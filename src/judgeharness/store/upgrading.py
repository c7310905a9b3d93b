"""Check that a file is a store of judgeharness, and upgrade it after a backup."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from functools import lru_cache
from pathlib import Path

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import place
from judgeharness.domain.scratch import scratch
from judgeharness.store import rows
from judgeharness.store.opening import RESCUE
from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from judgeharness.store.transactions import transaction


def require_store(connection: sqlite3.Connection, path: Path) -> int:
    """Return the store's version. Raises HarnessError if it is not a store that this judgeharness knows."""
    # All in one transaction, because another process may be creating the store at this moment.
    connection.execute("BEGIN")
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    connection.execute("COMMIT")
    if tables and application != APPLICATION_ID:
        raise InputError(f"{path}: an SQLite file of another program, not a store of judgeharness")
    if version > len(MIGRATIONS):
        raise HarnessError(
            f"{path}: written by a newer judgeharness (store version {version}, this one knows {len(MIGRATIONS)})",
            "pip install --upgrade judgeharness",
        )
    if tables:
        _require_our_schema(connection, path, version)
    return int(version)


def _require_our_schema(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raise HarnessError if the tables were altered, or if a trigger or a unique index was added."""
    found = _schema(connection)
    expected = _expected_schema(version)
    triggers = [name for kind, name in found if kind == "trigger"]
    unique = [name for (kind, name), sql in found.items() if kind == "index" and _is_unique(sql)]
    altered = [name for kind, name in expected if found.get((kind, name)) != expected[kind, name]]
    faults = [
        *(f"trigger '{name}'" for name in triggers),
        *(f"unique index '{name}'" for name in unique),
        *(f"table '{name}'" for name in altered),
    ]
    if faults:
        raise HarnessError(f"{path}: {faults[0]} is not of judgeharness: the store was altered", RESCUE)


def _is_unique(sql: str) -> bool:
    return sql.upper().split()[1:2] == ["UNIQUE"]


def _schema(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    # SQLite's internal tables and indexes have no SQL.
    query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    return {(kind, name): sql for kind, name, sql in connection.execute(query)}


def expected_tables(version: int) -> set[str]:
    """Return the names of the tables in a store of a version."""
    return {name for kind, name in _expected_schema(version) if kind == "table"}


@lru_cache
def _expected_schema(version: int) -> dict[tuple[str, str], str]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        rows.register(connection)
        for script in MIGRATIONS[:version]:
            carry_out(connection, script)
        return _schema(connection)


def migrate(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Upgrade the store to the newest version in one transaction. Another process may try at the same time.

    Returns:
        The backup of the old version, or None if the store was new or already upgraded.
    """
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        backup = _backup(path, version) if 0 < version < len(MIGRATIONS) else None
        for script in MIGRATIONS[version:]:
            carry_out(connection, script)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    return backup


def carry_out(connection: sqlite3.Connection, script: str) -> None:
    """Run the statements of a script, one by one."""
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _backup(path: Path, version: int) -> Path:
    """Copy the store to a file beside it. Raises HarnessError if that fails, before anything is changed."""
    names = (f"{path.name}.version-{version}{more}" for more in ("", *(f".{number}" for number in range(2, 1000))))
    target = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    # A separate connection sees the state before the current transaction.
    with contextlib.closing(sqlite3.connect(path)) as source:
        copy(source, target)
    return target


def copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy a store to a new file, whole or not at all. Raises HarnessError if that fails."""
    try:
        with scratch(target.absolute().parent) as work:
            with contextlib.closing(sqlite3.connect(work / "copy.db")) as copy:
                source.backup(copy)
            place(work / "copy.db", target)
    except sqlite3.Error as error:
        raise HarnessError(f"{target}: cannot be written: {error}", "the store was left as it is") from error
