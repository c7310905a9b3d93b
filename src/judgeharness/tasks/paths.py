"""Paths that a task names: beside its file or below, and nowhere else."""

from __future__ import annotations

from pathlib import Path

from judgeharness.domain.errors import InputError


def inside(folder: Path, name: str) -> Path:
    """Return the path of a file that a task names. Raises InputError if it is outside the task's folder."""
    try:
        path = (folder / name).resolve()
        path.exists()
    # The name is too long or contains forbidden characters, or links form a circle.
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{name[:80]!r}: is not a file name: {error}") from error
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{name}: lies outside the task's folder {folder}", "a task reads files beside it or below")
    return path
