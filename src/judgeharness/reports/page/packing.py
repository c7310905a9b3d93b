"""Numbers and texts in a page: small, and exactly what they were."""

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
    """An array as {"shape", "f4" or "f8"}: its numbers, little-endian, in base64; the smaller format where exact."""
    array = np.asarray(values, dtype=np.float64)
    # Beyond the smaller format's range there is infinity, which is not what it was.
    with np.errstate(over="ignore"):
        small = array.astype("<f4")
    exact = np.array_equal(small.astype(np.float64), array, equal_nan=True)
    numbers = small if exact else array.astype("<f8")
    text = base64.b64encode(numbers.tobytes()).decode("ascii")
    return {"shape": list(array.shape), "f4" if exact else "f8": text}


def packed(value: Any) -> str:
    """Plain data as base64 of compressed JSON. Its texts are fit to be shown."""
    return base64.b64encode(zlib.compress(_json(value).encode("ascii"), 9)).decode("ascii")


def script_safe(value: Any) -> str:
    """JSON that can stand in a script element whatever is in it. Its texts are fit to be shown."""
    return _json(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _json(value: Any) -> str:
    return scrub(json.dumps(safe_data(value), separators=(",", ":"), allow_nan=False))
