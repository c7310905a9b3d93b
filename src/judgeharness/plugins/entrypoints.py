"""Entry points of installed distributions. importlib.metadata is imported only if some distribution may have ours.

That import and its scan take as long as the rest of the program's start-up, and most installations have no plugins.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

_METADATA = (".dist-info", ".egg-info")


def installed(group: str) -> Iterable[EntryPoint]:
    """Return the entry points of a group."""
    if not _mentioned(f"[{group}]".encode()):
        return ()
    from importlib.metadata import entry_points

    return entry_points(group=group)


def _mentioned(section: bytes) -> bool:
    """Return whether any distribution may have such entry points. Returns True if folders alone cannot tell."""
    finders = sum(hasattr(finder, "find_distributions") for finder in sys.meta_path)
    if finders > 1:
        return True
    return any(_mentions(folder, section) for folder in dict.fromkeys(sys.path))


def _mentions(folder: str, section: bytes) -> bool:
    if os.path.isfile(folder):  # noqa: PTH113, pathlib doubles the time
        return True
    return any(section in text for text in _entry_point_files(folder))


def _entry_point_files(folder: str) -> Iterator[bytes]:
    try:
        names = [name for name in os.listdir(folder or ".") if name.endswith(_METADATA)]  # noqa: PTH208
    except OSError:
        return
    for name in names:
        try:
            with open(os.path.join(folder, name, "entry_points.txt"), "rb") as stream:  # noqa: PTH118, PTH123
                yield stream.read()
        except OSError:
            continue
