"""The C library's memory allocator, told that a model takes and frees the same large blocks over and over."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> bool:
    """Have glibc keep freed blocks of up to 1 GiB for the next taker; whether it took the advice.

    Otherwise it gives every large block back to the system and gets it anew, page by page, zeroed: measured as 5 to
    10 % of the time of a forward pass on the CPU. For the whole process, and only where the C library is glibc.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)) and bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))
