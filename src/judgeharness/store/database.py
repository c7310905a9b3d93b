"""Opening the store: what is there is checked and brought up to date, and never overwritten by mistake."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from judgeharness.errors import HarnessError, InputError
from judgeharness.explanations import ExplanationSet, read_explanations
from judgeharness.store.answers import Answers
from judgeharness.store.explanations import Explanations
from judgeharness.store.runs import Runs
from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from judgeharness.store.transactions import transaction

STORE_VARIABLE = "JUDGEHARNESS_STORE"
DEFAULT_STORE = "judgeharness.db"
HUMAN = "human"
BUSY_SECONDS = 60.0
OLDEST_SQLITE = (3, 37, 0)


def store_path(given: str | None) -> Path:
    """`--store`, or JUDGEHARNESS_STORE, or judgeharness.db in the current folder."""
    return Path(given or os.environ.get(STORE_VARIABLE) or DEFAULT_STORE).expanduser()


class Store:
    """An open store. Every write is a transaction of its own: what is done is kept, whatever happens next."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path
        self.answers = Answers(connection)
        self.explanations = Explanations(connection)
        self.runs = Runs(connection)

    @classmethod
    def open(cls, path: Path, create: bool = True) -> Store:
        """Open the store, making it where it is missing.

        create=False: for commands that only read. Raises InputError where the file is missing then, or is no store,
        HarnessError where it is of a newer judgeharness or cannot be written.
        """
        if sqlite3.sqlite_version_info < OLDEST_SQLITE:
            raise HarnessError(f"SQLite {sqlite3.sqlite_version} is too old for the store", "it needs 3.37 or newer")
        if not create and not path.is_file():
            raise InputError(f"{path}: no store there", "run 'judgeharness eval' first, or name one with --store")
        if path.is_dir() or not path.absolute().parent.is_dir():
            raise InputError(f"--store {path}: not a place for a file")
        connection = None
        try:
            connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            _prepare(connection, path)
        except sqlite3.DatabaseError as error:
            if connection is not None:
                connection.close()
            raise _store_error(path, error) from error
        except BaseException:
            if connection is not None:
                connection.close()
            raise
        return cls(connection, path)

    def __enter__(self) -> Self:
        """The store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the store. A full disk and the like become a HarnessError."""
        self.close()
        faults_of_ours = sqlite3.IntegrityError | sqlite3.ProgrammingError | sqlite3.InterfaceError
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, faults_of_ours):
            raise _store_error(self._path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


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


def _prepare(connection: sqlite3.Connection, path: Path) -> None:
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
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    if version < len(MIGRATIONS):
        _migrate(connection)


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


def _migrate(connection: sqlite3.Connection) -> None:
    """Bring the store to the newest version in one transaction; another process may do the same at the same time."""
    with transaction(connection):
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        for script in MIGRATIONS[version:]:
            for statement in script.split(";\n"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _store_error(path: Path, error: sqlite3.DatabaseError) -> HarnessError:
    if "not a database" in str(error):
        return InputError(f"{path}: not an SQLite file", "name another one with --store")
    return HarnessError(f"{path}: {error}", "the disk may be full, or the file damaged or not writable")
