"""Opening the store: what is there is checked and brought up to date, and never overwritten by mistake."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Self

from judgeharness.errors import HarnessError, InputError
from judgeharness.explanations import ExplanationSet, read_explanations
from judgeharness.store import rows
from judgeharness.store.answers import Answers
from judgeharness.store.explanations import Explanations
from judgeharness.store.runs import Runs
from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from judgeharness.store.transactions import transaction

STORE_VARIABLE = "JUDGEHARNESS_STORE"
DEFAULT_STORE = "judgeharness.db"
HUMAN = "human"
BUSY_SECONDS = 60.0
UNREADABLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What Python's sqlite3 raises for a damaged file: the latter where names of tables and columns are no UTF-8."""
OLDEST_SQLITE = (3, 37, 0)
MOST_BYTES_OF_A_VALUE = 1 << 28
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

    @classmethod
    def open(cls, path: Path, create: bool = True) -> Store:
        """Open the store, making it where it is missing.

        create=False: for commands that only read. A store of an older judgeharness is brought up to date after a
        backup. Raises InputError where the file is missing then, or is no store, HarnessError where it is of a newer
        judgeharness, altered or damaged, or cannot be written.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise HarnessError(f"SQLite {sqlite3.sqlite_version} is too old for the store", "it needs 3.37 or newer")
        if not _may_be_a_file(path):
            raise InputError(f"--store {path}: not a place for a file")
        if not create and not path.is_file():
            raise InputError(f"{path}: no store there", "run 'judgeharness eval' first, or name one with --store")
        connection = None
        try:
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            backup = _prepare(connection, path)
        except UNREADABLE as error:
            if connection is not None:
                connection.close()
            raise _store_error(path, error) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
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

    def copy(self, target: Path) -> None:
        """Write the store as it is now to a new file. Raises HarnessError where that fails; no half of it stays."""
        _copy(self.connection, target)

    def close(self) -> None:
        """Close the file."""
        self.connection.close()


def _may_be_a_file(path: Path) -> bool:
    """Whether a file is there, or can be made: no folder, device or pipe is, and its own folder is there."""
    try:
        return path.is_file() if path.exists() else path.absolute().parent.is_dir()
    # A name that is too long, or holds what no name may.
    except (OSError, ValueError):
        return False


def given_explanations(word: str, store: Path) -> ExplanationSet | None:
    """The explanations that a user names: None for "human", a file of JSON lines, or a set of the store by its id.

    Raises InputError where there are none of that name.
    """
    if word == HUMAN:
        return None
    path = Path(word).expanduser()
    if path.suffix in {".jsonl", ".json"} or path.is_file():
        return read_explanations(path)
    with Store.open(store, create=False) as opened:
        return opened.explanations.find(word)


def _prepare(connection: sqlite3.Connection, path: Path) -> Path | None:
    """Check what is there, and bring it up to date; the backup, where one was made."""
    harden(connection)
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
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return _migrate(connection, path) if version < len(MIGRATIONS) else None


def harden(connection: sqlite3.Connection) -> None:
    """Settings for a file that may come from anybody, and the functions that the store's queries use."""
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_BYTES_OF_A_VALUE)
    connection.execute("PRAGMA cell_size_check = ON")
    rows.register(connection)


def _require_our_schema(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Raises HarnessError where tables are not as they were made, or something would run when they are written."""
    found = _schema(connection)
    expected = _expected_schema(version)
    triggers = [name for kind, name in found if kind == "trigger"]
    altered = [name for kind, name in expected if found.get((kind, name)) != expected[kind, name]]
    if triggers or altered:
        what = f"trigger '{triggers[0]}'" if triggers else f"table '{altered[0]}'"
        raise HarnessError(f"{path}: {what} is not of judgeharness: the store was altered", RESCUE)


def _schema(connection: sqlite3.Connection) -> dict[tuple[str, str], str]:
    # SQLite's own tables and indexes are not written down as SQL.
    query = "SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL"
    return {(kind, name): sql for kind, name, sql in connection.execute(query)}


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
    target = next(path.with_name(name) for name in names if not path.with_name(name).exists())
    # A connection of its own sees what was committed before.
    with contextlib.closing(sqlite3.connect(path)) as source:
        _copy(source, target)
    return target


def _copy(source: sqlite3.Connection, target: Path) -> None:
    partial = target.with_name(f"{target.name}.part")
    try:
        with contextlib.closing(sqlite3.connect(partial)) as copy:
            source.backup(copy)
        partial.replace(target)
    except (OSError, sqlite3.Error) as error:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise HarnessError(f"{target}: cannot be written: {error}", "the store was left as it is") from error


def _store_error(path: Path, error: Exception) -> HarnessError:
    if "not a database" in str(error):
        return InputError(f"{path}: not an SQLite file", "name another one with --store")
    if "malformed" in str(error) or isinstance(error, UnicodeDecodeError):
        return HarnessError(f"{path}: the store is damaged: {error}", RESCUE)
    return HarnessError(f"{path}: {error}", "the disk may be full, or the file damaged or not writable")
