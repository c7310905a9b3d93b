"""Broken worlds: read-only folders and full disks that are real, for a process of their own."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

READ_ONLY = 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"'
SMALL = 'mount -t tmpfs -o size=256k tmpfs "$1" && shift && exec "$@"'


def in_world(script: str, folder: Path, words: list[str], **more) -> subprocess.CompletedProcess:
    """Run a command in a world of its own, in which the folder is as the script says."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **more)


def program(*words: object) -> list[str]:
    """The command of the program."""
    return [sys.executable, "-m", "judgeharness", *map(str, words)]


def require_worlds(tmp_path: Path) -> None:
    """Skip where this machine lets nobody mount anything."""
    with contextlib.suppress(OSError):
        if in_world(READ_ONLY, tmp_path, ["true"]).returncode == 0:
            return
    pytest.skip("this machine has no user namespaces")


def leftovers(folder: Path) -> list[str]:
    """Everything in a folder and below that nobody asked for."""
    return [name for _, folders, files in os.walk(folder) for name in (*folders, *files) if name.startswith(".")]
