"""Folders for unfinished work. What a killed process leaves behind is removed by the next process that works there."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.locks import Lock, is_held, take

PREFIX = ".judgeharness-"
LOCK = ".lock"
UNFINISHED = ".part"

_log = logging.getLogger(__name__)


@contextlib.contextmanager
def scratch(folder: Path | None = None) -> Iterator[Path]:
    """Create a folder inside another, by default the system's folder for temporary files, and remove it at the end.

    Folders left by killed processes are removed first. What cannot be removed is logged.

    Raises:
        HarnessError: If no folder can be created there.
    """
    parent = folder or Path(tempfile.gettempdir())
    try:
        _remove_leftovers(parent)
        work, lock = _begin(parent)
    except OSError as error:
        raise HarnessError(f"{parent}: cannot be written to: {error.strerror}") from error
    try:
        yield work
    finally:
        _end(work, lock)


@contextlib.contextmanager
def resumable(work: Path, what: str) -> Iterator[Path]:
    """Create a folder that stays until its work is done. After an error or a kill, the next call resumes the work.

    Args:
        work: The folder. Its name covers everything that the work depends on, and ends with ".part".
        what: The work, for messages.

    Raises:
        HarnessError: If the folder cannot be written to, or another process works in it.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = take(work / LOCK)
    except OSError as error:
        raise HarnessError(f"{work}: cannot be written: {error.strerror}", f"it is needed for {what}") from error
    if lock is None:
        raise HarnessError(f"another process is at work on {what}", f"wait until it has ended; it works in {work}")
    try:
        yield work
    except BaseException:
        lock.release()
        raise
    _end(work, lock)


def unfinished(folder: Path) -> list[Path]:
    """Return the folders of `resumable` inside another in which no process works, sorted by name."""
    with contextlib.suppress(OSError):
        return [path for path in sorted(folder.glob(f"*{UNFINISHED}")) if not is_held(path / LOCK)]
    return []


def _begin(parent: Path) -> tuple[Path, Lock | None]:
    while True:
        work = parent / f"{PREFIX}{secrets.token_hex(6)}"
        work.mkdir(mode=0o700)
        try:
            lock = take(work / LOCK)
        except FileNotFoundError:
            # Another process took the folder for a leftover, since it had no lock yet.
            continue
        except OSError:
            # Some network file systems do not support locks.
            return work, None
        if lock is not None:
            return work, lock


def _end(work: Path, lock: Lock | None) -> None:
    if lock is not None:
        lock.release()
    shutil.rmtree(work, ignore_errors=True)


def _remove_leftovers(parent: Path) -> None:
    for work in parent.glob(f"{PREFIX}*"):
        try:
            about = work.lstat()
            # Others may also write to this folder. Their entries are neither removed nor followed.
            if stat.S_ISDIR(about.st_mode) and about.st_uid == _user():
                _remove(work)
        except FileNotFoundError:
            continue
        except OSError as error:
            _log.warning("%s: left by a process that ended, cannot be removed: %s", work, error.strerror)


def _remove(work: Path) -> None:
    lock = take(work / LOCK)
    if lock is not None:
        shutil.rmtree(work)
        lock.release()


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0
