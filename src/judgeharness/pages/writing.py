"""A page on disk: whole, or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from judgeharness.errors import HarnessError


def write_whole(path: Path, text: str) -> None:
    """Write a file, in the place of an older one only once it is complete. Raises HarnessError."""
    try:
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
                stream.write(text)
            Path(beside).chmod(0o644)
            Path(beside).replace(path)
        finally:
            Path(beside).unlink(missing_ok=True)
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {error.strerror or error}") from error
