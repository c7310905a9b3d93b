"""Content hashes: a result is identified by everything that it was computed from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from judgeharness.domain.files import opened


def digest(value: Any) -> str:
    """Return the SHA-256 hex digest of a value as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: Path, what: str = "file") -> str:
    """Return the SHA-256 hex digest of a file's bytes. `what` and errors are those of `files.opened`."""
    with opened(path, what=what) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
