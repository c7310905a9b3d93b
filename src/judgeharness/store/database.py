"""Opening the store: what is there is checked and brought up to date, and never overwritten by mistake."""

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
"""What Python's sqlite3 raises for a damaged file: the latter where names of tables and columns are no UTF-8."""
MIN_SQLITE = (3, 37, 0)
MAX_BYTES_OF_A_VALUE = 1 << 28
LONGEST_NAME, LONGEST_PATH = 247, 503
"""In bytes: SQLite's own files beside a store have the store's name and up to 8 characters more."""
RESCUE = "'judgeharness store rescue' takes what is whole into a new store"


def store_path(given: str | None) -> Path:
    """`--store`, or JUDGEHARNESS_STORE, or judgeharness.db in the current folder."""
    return Path(given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE).expanduser()


class Store:
    """An open store. Every write is a transaction of its own: what is done is kept, whatever happens next.

    backup: the store as it was, where it was brought up to date on opening.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path, backup: Path | None = None) -> None:
        self.connection = connection
        self.path = path
        self.backup = backup
        self.answers = Answers(connection)
        self.explanations = Explanations(connection)
        self.runs = Runs(connection)
        # Other processes may name the store by a link.
        whole = path.resolve()
        self.sessions = Sessions(connection, whole, self.require_there)
        # The path may be changed for messages.
        self._named, self._identity = path, _identity(whole)
        self.journal = Journal(partial(_connected, whole))

    @classmethod
    def open(cls, path: Path, create: bool = True) -> Store:
        """Open the store, making it where it is missing.

        create=False: for commands that only read, also where nothing can be written. A store of an older judgeharness
        is brought up to date after a backup. Raises InputError where the file is missing then, or is no store,
        HarnessError where it is of a newer judgeharness, altered or damaged, or cannot be written.
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
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store. A full disk and the like become a HarnessError."""
        self.close()
        faults_of_ours = sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError
        if isinstance(error, UNREADABLE) and not isinstance(error, faults_of_ours):
            raise _store_error(self.path, error) from error

    def require_there(self) -> None:
        """Raises HarnessError if the file was moved, removed or replaced since it was opened."""
        if _identity(self._named.resolve()) != self._identity:
            raise HarnessError(
                f"{self.path}: was moved, removed or replaced while it was in use",
                "what was done since is not in the file of this name",
            )

    def copy(self, target: Path) -> None:
        """Write the store as it is now to a new file. Raises HarnessError where that fails; no half of it stays."""
        _copy(self.connection, target)

    def close(self) -> None:
        """Close the file."""
        self.journal.close()
        self.connection.close()


@contextlib.contextmanager
def new_store(target: Path, work: Path | None = None) -> Iterator[Store]:
    """A store that has its name only once it is whole and closed.

    work: the folder in which it is made, on the same file system, where it stays if it is not finished. Raises
    HarnessError as `Store.open` does, and if there is a store of that name by then.
    """
    _require_place(target)
    fault = _why_read_only(target)
    if fault is not None:
        raise _unwritable(target, fault)
    with scratch(target.absolute().parent) if work is None else contextlib.nullcontext(work) as folder:
        with Store.open(folder / "new.db") as store:
            # For messages.
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
    # A whole path: SQLite gives names such as :memory: and file:x a meaning of their own.
    connection = sqlite3.connect(path.absolute(), timeout=BUSY_SECONDS, isolation_level=None)
    try:
        harden(connection)
        connection.execute("PRAGMA foreign_keys = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def read_only(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, also where nothing can be changed."""
    whole = path.resolve()
    # SQLite keeps notes beside the file for all who read it, unless it is told that nobody writes.
    alone = "" if _why_read_only(path) is None or _log_of(whole) else "&immutable=1"
    connection = sqlite3.connect(f"{whole.as_uri()}?mode=ro{alone}", uri=True, isolation_level=None)
    try:
        harden(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _log_of(whole: Path) -> Path | None:
    """The write-ahead log of a store, if it holds anything."""
    log = whole.with_name(f"{whole.name}-wal")
    return log if log.exists() and log.stat().st_size else None


def require_name(path: Path) -> None:
    """Raises InputError for a name that SQLite takes no file of."""
    whole = path.resolve()
    if len(os.fsencode(whole.name)) > LONGEST_NAME or len(os.fsencode(whole)) > LONGEST_PATH:
        limits = f"a store's name has at most {LONGEST_NAME} bytes, and its whole path {LONGEST_PATH}"
        raise InputError(f"{str(path)[:200]}: the name is too long", limits)


def _require_place(path: Path) -> None:
    """Raises InputError if there is no file and none can be made."""
    try:
        require_name(path)
        whole = path.resolve()
        fits = is_file(whole) if os.path.lexists(whole) else is_folder(whole.parent)
    # A name that holds what none may, or links that lead round in a circle.
    except (OSError, ValueError, RuntimeError):
        fits = False
    if not fits or is_stream(path):
        raise InputError(f"--store {path}: not a place for a file")


def _why_read_only(path: Path) -> str | None:
    """Why a store cannot be written, or None."""
    whole = path.resolve()
    if not os.access(whole.parent, os.W_OK | os.X_OK):
        return f"the folder {whole.parent} is read-only"
    return "the file is read-only" if whole.exists() and not os.access(whole, os.W_OK) else None


def _ready(path: Path, fault: str | None) -> tuple[sqlite3.Connection, Path | None]:
    """A connection to a store that was checked, and its backup. fault: why it is only read, if it is."""
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
    """Check what is there, and bring it up to date; the backup, where one was made."""
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
    """The store's version. Raises HarnessError if it is not a store that this judgeharness knows."""
    # In one transaction: another process may be making the store at this moment.
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
    """Settings for a file that may come from anybody, and the functions that the store's queries use."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_BYTES_OF_A_VALUE)
    connection.execute("PRAGMA cell_size_check = ON")
    rows.register(connection)


def _require_our_schema(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raises HarnessError where tables are not as they were made, or something would run when they are written."""
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
    # SQLite's own tables and indexes are not written down as SQL.
    query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    return {(kind, name): sql for kind, name, sql in connection.execute(query)}


def expected_tables(version: int) -> set[str]:
    """The names of the tables that a store of a version has."""
    return {name for kind, name in _expected_schema(version) if kind == "table"}


@lru_cache
def _expected_schema(version: int) -> dict[tuple[str, str], str]:
    with contextlib.closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        rows.register(connection)
        for script in MIGRATIONS[:version]:
            _carry_out(connection, script)
        return _schema(connection)


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Switch to a write-ahead log. SQLite does not wait here as it does elsewhere while another process is opening."""
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
    """Bring the store to the newest version in one transaction; another process may do the same at the same time.

    The backup of what was there, if anything was.
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
    """A copy of the store as it is, beside it. Raises HarnessError where none can be made: nothing is changed then."""
    names = (f"{path.name}.version-{version}{more}" for more in ("", *(f".{number}" for number in range(2, 1000))))
    target = next(path.with_name(name) for name in names if not os.path.lexists(path.with_name(name)))
    # A connection of its own sees what was committed before.
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
