"""Open the file of a store: which names and places are possible, and what a failure means."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import is_file, is_folder, is_stream
from judgeharness.store import rows

BUSY_SECONDS = 60.0
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What Python's sqlite3 raises for a damaged file.

UnicodeDecodeError means that names of tables or columns are damaged.
"""
MAX_BYTES_OF_A_VALUE = 1 << 28
MAX_NAME, MAX_PATH = 247, 503
"""In bytes. SQLite's own files beside a store have its name and up to 8 characters more."""
RESCUE = "'judgeharness store rescue' takes what is whole into a new store"
_HINTS = {
    sqlite3.SQLITE_FULL: "free some space; what was done is kept, and the same command resumes",
    sqlite3.SQLITE_BUSY: "another process holds it; the same command resumes once that has ended",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable, or name another store with --store",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder readable, or name another store with --store",
}


def connected(path: Path) -> sqlite3.Connection:
    """Return a connection that can write. The file is created if it is missing."""
    # The path is absolute because SQLite gives names such as :memory: and file:x a special meaning.
    connection = sqlite3.connect(path.absolute(), timeout=BUSY_SECONDS, isolation_level=None)
    try:
        harden(connection)
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def read_only(path: Path) -> sqlite3.Connection:
    """Return a connection that changes nothing. It works even if the file and its folder are read-only."""
    whole = path.resolve()
    # SQLite writes files beside the store even to read it, unless it is told that nobody writes.
    alone = "" if why_read_only(path) is None or _log_of(whole) else "&immutable=1"
    connection = sqlite3.connect(f"{whole.as_uri()}?mode=ro{alone}", uri=True, isolation_level=None)
    try:
        harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def harden(connection: sqlite3.Connection) -> None:
    """Set limits for a file that may come from anybody, and register the functions that the store's queries use."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES_OF_A_VALUE)
    connection.execute("PRAGMA cell_size_check = ON")
    rows.register(connection)


def write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log.

    Unlike elsewhere, SQLite does not wait here while another process opens the store.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)


def _log_of(whole: Path) -> Path | None:
    """Return the write-ahead log of a store, if it holds anything."""
    log = whole.with_name(f"{whole.name}-wal")
    return log if log.exists() and log.stat().st_size else None


def require_name(path: Path) -> None:
    """Raise InputError if SQLite cannot open a file of this name."""
    whole = path.resolve()
    if len(os.fsencode(whole.name)) > MAX_NAME or len(os.fsencode(whole)) > MAX_PATH:
        limits = f"a store's name has at most {MAX_NAME} bytes, and its whole path {MAX_PATH}"
        raise InputError(f"{str(path)[:200]}: the name is too long", limits)


def require_place(path: Path) -> None:
    """Raise InputError if the path is neither a file nor a place where one can be created."""
    try:
        require_name(path)
        whole = path.resolve()
        fits = is_file(whole) if os.path.lexists(whole) else is_folder(whole.parent)
    # The name contains forbidden characters, or links form a circle.
    except (OSError, ValueError, RuntimeError):
        fits = False
    if not fits or is_stream(path):
        raise InputError(f"--store {path}: not a place for a file")


def why_read_only(path: Path) -> str | None:
    """Return why a store cannot be written, or None if it can."""
    whole = path.resolve()
    if not os.access(whole.parent, os.W_OK | os.X_OK):
        return f"the folder {whole.parent} is read-only"
    return "the file is read-only" if whole.exists() and not os.access(whole, os.W_OK) else None


def unwritable(path: Path, fault: str) -> HarnessError:
    """Return the error for a store that can only be read. `fault` says why."""
    return HarnessError(f"{path}: cannot be written: {fault}", "name another store with --store")


def store_error(path: Path, error: Exception) -> HarnessError:
    """Return what an error of SQLite means for the user, with a hint."""
    if "not a database" in str(error):
        return InputError(f"{path}: not an SQLite file", "name another one with --store")
    if "malformed" in str(error) or isinstance(error, UnicodeDecodeError):
        return HarnessError(f"{path}: the store is damaged: {error}", RESCUE)
    fault, log = why_read_only(path), _log_of(path.resolve())
    if fault is not None and log is not None:
        return HarnessError(
            f"{path}: a part of it is in {log.name}, which is read only where it can be written to, and {fault}",
            "copy both files to another folder, and name the copy with --store",
        )
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return HarnessError(f"{path}: {error}", _HINTS.get(code, "the disk may be full, or the file damaged"))
