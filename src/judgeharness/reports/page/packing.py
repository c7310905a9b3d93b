"""Pack numbers and texts for a page, compactly and without loss."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import numpy.typing as npt

from judgeharness.domain.api_keys import scrub
from judgeharness.domain.escaping import safe_data


def floats(values: npt.ArrayLike) -> dict[str, Any]:
    """Return an array as {"shape", "f4" or "f8"}, with its numbers little-endian in base64.

    "f4" is used if it is exact.
    """
    array = np.asarray(values, dtype=np.float64)
    # Numbers beyond the range of "f4" become infinite, which is not exact.
    with np.errstate(over="ignore"):
        small = array.astype("<f4")
    exact = np.array_equal(small.astype(np.float64), array, equal_nan=True)
    numbers = small if exact else array.astype("<f8")
    text = base64.b64encode(numbers.tobytes()).decode("ascii")
    return {"shape": list(array.shape), "f4" if exact else "f8": text}


def packed(value: Any) -> str:
    """Return plain data as base64 of compressed JSON. Its texts are safe to display."""
    return base64.b64encode(zlib.compress(_json(value).encode("ascii"), 9)).decode("ascii")


def script_safe(value: Any) -> str:
    """Return JSON that can stand in a script element whatever it contains. Its texts are safe to display."""
    return _json(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _json(value: Any) -> str:
    return scrub(json.dumps(safe_data(value), separators=(",", ":"), allow_nan=False))
