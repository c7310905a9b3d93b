"""Where the task data that ships with judgeharness is: in the wheel, or in a checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """Return the folder with the shipped tasks, templates and dataset descriptions."""
    in_wheel = _PACKAGE / "shipped_tasks"
    return in_wheel if in_wheel.is_dir() else _PACKAGE.parents[1] / "tasks"
