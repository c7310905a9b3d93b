"""Open the store. An existing file is checked and upgraded, and never overwritten by mistake."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Iterator
from functools import lru_cache, partial
from pathlib import Path
from types import TracebackType
from typing import Self

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import is_file, is_folder, is_stream, place
from judgeharness.domain.scratch import scratch
from judgeharness.store import rows
from judgeharness.store.answers import Answers
from judgeharness.store.explanations import Explanations
from judgeharness.store.journal import Journal
from judgeharness.store.runs import Runs
from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from judgeharness.store.sessions import Sessions
from judgeharness.store.transactions import transaction

STORE_VARIABLE = "JUDGEHARNESS_STORE"
DEFAULT_STORE = "judgeharness.db"
BUSY_SECONDS = 60.0
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What Python's sqlite3 raises for a damaged file.

UnicodeDecodeError means that names of tables or columns are damaged.
"""
MIN_SQLITE = (3, 37, 0)
MAX_BYTES_OF_A_VALUE = 1 << 28
LONGEST_NAME, LONGEST_PATH = 247, 503
"""In bytes. SQLite's own files beside a store have its name and up to 8 characters more."""
RESCUE = "'judgeharness store rescue' takes what is whole into a new store"


def store_path(given: str | None) -> Path:
    """Return the value of `--store`, or JUDGEHARNESS_STORE, or judgeharness.db in the current folder."""
    return Path(given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE).expanduser()


class Store:
    """An open store. Every write is a transaction of its own, so finished work survives whatever happens next.

    Attributes:
        connection: The SQLite connection.
        path: The store's file, as messages name it.
        backup: A copy of the store from before an upgrade, if opening it upgraded it.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, backup: Path | None = None) -> None:
        self.connection = connection
        self.path = path
        self.backup = backup
        self.answers = Answers(connection)
        self.explanations = Explanations(connection)
        self.runs = Runs(connection)
        # Other processes may use another name for the store, through a link.
        whole = path.resolve()
        self.sessions = Sessions(connection, whole, self.require_there)
        # `path` may be changed for messages, so the name is kept here too.
        self._named, self._identity = path, _identity(whole)
        self.journal = Journal(partial(_connected, whole))

    @classmethod
    def open(cls, path: Path, create: bool = True) -> Store:
        """Open the store, and create it if it is missing.

        A store of an older judgeharness is upgraded after a backup.

        Args:
            path: The store's file.
            create: False for commands that only read. They also work if the file is read-only.

        Raises:
            InputError: The file is missing and is not to be created, or it is not a store.
            HarnessError: The store comes from a newer judgeharness, was altered, is damaged, or cannot be written.
        """
        if sqlite3.sqlite_version_info < MIN_SQLITE:
            raise HarnessError(f"SQLite {sqlite3.sqlite_version} is too old for the store", "it needs 3.37 or newer")
        _require_place(path)
        if not create and not is_file(path):
            raise InputError(f"{path}: no store there", "run 'judgeharness eval' first, or name one with --store")
        fault = _why_read_only(path)
        if create and fault is not None:
            raise _unwritable(path, fault)
        connection, backup = _ready(path, fault)
        return cls(connection, path, backup)

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store. SQLite's errors, such as a full disk, become a HarnessError."""
        self.close()
        faults_of_ours = sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError
        if isinstance(error, UNREADABLE) and not isinstance(error, faults_of_ours):
            raise _store_error(self.path, error) from error

    def require_there(self) -> None:
        """Raise HarnessError if the file has been moved, removed or replaced since it was opened."""
        if _identity(self._named.resolve()) != self._identity:
            raise HarnessError(
                f"{self.path}: was moved, removed or replaced while it was in use",
                "what was done since is not in the file of this name",
            )

    def copy(self, target: Path) -> None:
        """Write the current state of the store to a new file.

        Raises HarnessError if that fails; no partial file remains.
        """
        _copy(self.connection, target)

    def close(self) -> None:
        """Close the file."""
        self.journal.close()
        self.connection.close()


@contextlib.contextmanager
def new_store(target: Path, work: Path | None = None) -> Iterator[Store]:
    """Create a store that gets its name only when it is complete and closed.

    Args:
        target: The store's file.
        work: The folder to create it in, on the same file system. An unfinished store stays there.

    Raises:
        HarnessError: As `Store.open`, and if a file of that name exists by the end.
    """
    _require_place(target)
    fault = _why_read_only(target)
    if fault is not None:
        raise _unwritable(target, fault)
    with scratch(target.absolute().parent) if work is None else contextlib.nullcontext(work) as folder:
        with Store.open(folder / "new.db") as store:
            # Messages name the target.
            store.path = target
            yield store
        if os.path.lexists(target):
            raise HarnessError(f"{target}: another process has made it meanwhile", "run the same command again")
        place(folder / "new.db", target)


def _identity(path: Path) -> tuple[int, int] | None:
    with contextlib.suppress(OSError):
        about = path.stat()
        return about.st_dev, about.st_ino
    return None


def _connected(path: Path) -> sqlite3.Connection:
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
    alone = "" if _why_read_only(path) is None or _log_of(whole) else "&immutable=1"
    connection = sqlite3.connect(f"{whole.as_uri()}?mode=ro{alone}", uri=True, isolation_level=None)
    try:
        harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_of(whole: Path) -> Path | None:
    """Return the write-ahead log of a store, if it holds anything."""
    log = whole.with_name(f"{whole.name}-wal")
    return log if log.exists() and log.stat().st_size else None


def require_name(path: Path) -> None:
    """Raise InputError if SQLite cannot open a file of this name."""
    whole = path.resolve()
    if len(os.fsencode(whole.name)) > LONGEST_NAME or len(os.fsencode(whole)) > LONGEST_PATH:
        limits = f"a store's name has at most {LONGEST_NAME} bytes, and its whole path {LONGEST_PATH}"
        raise InputError(f"{str(path)[:200]}: the name is too long", limits)


def _require_place(path: Path) -> None:
    """Raise InputError if there is no file and none can be created."""
    try:
        require_name(path)
        whole = path.resolve()
        fits = is_file(whole) if os.path.lexists(whole) else is_folder(whole.parent)
    # The name contains forbidden characters, or links form a circle.
    except (OSError, ValueError, RuntimeError):
        fits = False
    if not fits or is_stream(path):
        raise InputError(f"--store {path}: not a place for a file")


def _why_read_only(path: Path) -> str | None:
    """Return why a store cannot be written, or None if it can."""
    whole = path.resolve()
    if not os.access(whole.parent, os.W_OK | os.X_OK):
        return f"the folder {whole.parent} is read-only"
    return "the file is read-only" if whole.exists() and not os.access(whole, os.W_OK) else None


def _ready(path: Path, fault: str | None) -> tuple[sqlite3.Connection, Path | None]:
    """Return a connection to a checked store, and its backup. `fault` says why the store can only be read, if so."""
    connection = None
    try:
        connection = _connected(path) if fault is None else read_only(path)
        return connection, _prepare(connection, path, fault)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, UNREADABLE):
            raise _store_error(path, error) from error
        raise


def _prepare(connection: sqlite3.Connection, path: Path, fault: str | None) -> Path | None:
    """Check the store and upgrade it. Returns the backup, if one was made."""
    version = _require_store(connection, path)
    if fault is None:
        _write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return _migrate(connection, path) if version < len(MIGRATIONS) else None
    if version < len(MIGRATIONS):
        raise HarnessError(
            f"{path}: written by an older judgeharness, and cannot be brought up to date: {fault}",
            "copy it to a folder that can be written to, and name the copy with --store",
        )
    return None


def _require_store(connection: sqlite3.Connection, path: Path) -> int:
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


def harden(connection: sqlite3.Connection) -> None:
    """Set limits for a file that may come from anybody, and register the functions that the store's queries use."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES_OF_A_VALUE)
    connection.execute("PRAGMA cell_size_check = ON")
    rows.register(connection)


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
            _carry_out(connection, script)
        return _schema(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
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


def _migrate(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Upgrade the store to the newest version in one transaction. Another process may try at the same time.

    Returns:
        The backup of the old version, or None if the store was new or already upgraded.
    """
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        backup = _backup(path, version) if 0 < version < len(MIGRATIONS) else None
        for script in MIGRATIONS[version:]:
            _carry_out(connection, script)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    return backup


def _carry_out(connection: sqlite3.Connection, script: str) -> None:
    for statement in script.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def _backup(path: Path, version: int) -> Path:
    """Copy the store to a file beside it. Raises HarnessError if that fails, before anything is changed."""
    names = (f"{path.name}.version-{version}{more}" for more in ("", *(f".{number}" for number in range(2, 1000))))
    target = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    # A separate connection sees the state before the current transaction.
    with contextlib.closing(sqlite3.connect(path)) as source:
        _copy(source, target)
    return target


def _copy(source: sqlite3.Connection, target: Path) -> None:
    try:
        with scratch(target.absolute().parent) as work:
            with contextlib.closing(sqlite3.connect(work / "copy.db")) as copy:
                source.backup(copy)
            place(work / "copy.db", target)
    except sqlite3.Error as error:
        raise HarnessError(f"{target}: cannot be written: {error}", "the store was left as it is") from error


def _unwritable(path: Path, fault: str) -> HarnessError:
    return HarnessError(f"{path}: cannot be written: {fault}", "name another store with --store")


def _store_error(path: Path, error: Exception) -> HarnessError:
    if "not a database" in str(error):
        return InputError(f"{path}: not an SQLite file", "name another one with --store")
    if "malformed" in str(error) or isinstance(error, UnicodeDecodeError):
        return HarnessError(f"{path}: the store is damaged: {error}", RESCUE)
    fault, log = _why_read_only(path), _log_of(path.resolve())
    if fault is not None and log is not None:
        return HarnessError(
            f"{path}: a part of it is in {log.name}, which is read only where it can be written to, and {fault}",
            "copy both files to another folder, and name the copy with --store",
        )
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return HarnessError(f"{path}: {error}", _HINTS.get(code, "the disk may be full, or the file damaged"))


_HINTS = {
    sqlite3.SQLITE_FULL: "free some space; what was done is kept, and the same command resumes",
    sqlite3.SQLITE_BUSY: "another process holds it; the same command resumes once that has ended",
    sqlite3.SQLITE_READONLY: "make the file and its folder writable, or name another store with --store",
    sqlite3.SQLITE_CANTOPEN: "make the file and its folder readable, or name another store with --store",
}
