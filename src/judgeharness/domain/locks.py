"""File locks that end with their process, however it ends. They tell other processes whether someone is at work."""

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
    """A lock held by this process. Its file remains until `release`, or until the process is found to be gone."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    def release(self) -> None:
        """Remove the file and release the lock."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        os.close(self._descriptor)


def take(path: Path) -> Lock | None:
    """Create a lock's file, or take over the file of a process that is gone. Returns None if the lock is held.

    Raises OSError if the file cannot be created, or if the file system does not support locks.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            if not _locked(descriptor):
                os.close(descriptor)
                return None
            # The previous holder may have removed the file in between.
            if os.path.samestat(os.fstat(descriptor), path.stat()):
                return Lock(path, descriptor)
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def is_held(path: Path) -> bool:
    """Return whether a lock is held, or whether that cannot be found out. A file that no process holds is removed."""
    if not os.path.lexists(path):
        return False
    try:
        found = take(path)
    except OSError:
        # The file system is read-only or does not support locks.
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
