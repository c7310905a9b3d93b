"""Open the store. An existing file is checked and upgraded, and never overwritten by mistake."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import is_file, place
from judgeharness.domain.scratch import scratch
from judgeharness.store import upgrading
from judgeharness.store.answers import Answers
from judgeharness.store.explanations import Explanations
from judgeharness.store.journal import Journal
from judgeharness.store.opening import (
    UNREADABLE,
    connected,
    read_only,
    require_place,
    store_error,
    unwritable,
    why_read_only,
    write_ahead,
)
from judgeharness.store.runs import Runs
from judgeharness.store.schema import MIGRATIONS
from judgeharness.store.sessions import Sessions

STORE_VARIABLE = "JUDGEHARNESS_STORE"
DEFAULT_STORE = "judgeharness.db"
MIN_SQLITE = (3, 37, 0)


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
        self.journal = Journal(partial(connected, whole))

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
        require_place(path)
        if not create and not is_file(path):
            raise InputError(f"{path}: no store there", "run 'judgeharness eval' first, or name one with --store")
        fault = why_read_only(path)
        if create and fault is not None:
            raise unwritable(path, fault)
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
            raise store_error(self.path, error) from error

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
        upgrading.copy(self.connection, target)

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
    require_place(target)
    fault = why_read_only(target)
    if fault is not None:
        raise unwritable(target, fault)
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


def _ready(path: Path, fault: str | None) -> tuple[sqlite3.Connection, Path | None]:
    """Return a connection to a checked store, and its backup. `fault` says why the store can only be read, if so."""
    connection = None
    try:
        connection = connected(path) if fault is None else read_only(path)
        return connection, _prepare(connection, path, fault)
    except BaseException as error:
        if connection is not None:
            connection.close()
        if isinstance(error, UNREADABLE):
            raise store_error(path, error) from error
        raise


def _prepare(connection: sqlite3.Connection, path: Path, fault: str | None) -> Path | None:
    """Check the store and upgrade it. Returns the backup, if one was made."""
    version = upgrading.require_store(connection, path)
    if fault is None:
        write_ahead(connection)
        connection.execute("PRAGMA synchronous = FULL")
        return upgrading.migrate(connection, path) if version < len(MIGRATIONS) else None
    if version < len(MIGRATIONS):
        raise HarnessError(
            f"{path}: written by an older judgeharness, and cannot be brought up to date: {fault}",
            "copy it to a folder that can be written to, and name the copy with --store",
        )
    return None
