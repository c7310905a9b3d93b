"""Locks that end with their process, however it ends: files by which others can tell whether somebody is at work."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


class Lock:
    """A lock that this process holds. Its file stays until `release`, or until whoever finds the process dead."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Remove the file and let go of it."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)


def take(path: Path) -> Lock | None:
    """Create a lock's file, or take over one whose process is gone; None if another lock holds it.

    Raises OSError if the file cannot be created, or the file system has no locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            # Whoever held it may have removed it in between.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return Lock(path, descriptor)
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether a lock on the file is held by anybody, or that cannot be told. A file that nobody holds is removed."""
    if not os.path.lexists(path):
        return False
    try:
        found = take(path)
    except OSError:
        # On a file system that is read-only or has no locks.
        return True
    if found is not None:
        found.release()
    return found is None


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
