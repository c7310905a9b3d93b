"""Texts that are not fit to be shown, and whether anything of the kind is in some output."""

from __future__ import annotations

import re

ESCAPES = "\x1b[31mred\x1b]0;title\x07\x1b[2J\x9b1m\x08\r"
BIDI = "\u202eevil\u202d\u2066\u2069\u200e\u200f\u061c"
HIDDEN = "\u200b\u2060\ufeff\xad\U000e0041\u2028\u2029"
HOSTILE = f"<{ESCAPES}{BIDI}{HIDDEN}>"
READABLE = "שלום سلام नमस्ते e\u0301 👩\u200d🔬 می\u200cخواهم naïve\xa0x"  # noqa: RUF001
"""Right-to-left letters, combining marks, joiners, and a space that does not break."""

_UNFIT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
    "\U000e0000-\U000e0fff]"
)


def unfit(output: bytes | str) -> set[str]:
    """The characters of an output, in UTF-8, that should not reach a terminal or a page."""
    text = output if isinstance(output, str) else output.decode("utf-8", "surrogateescape")
    return set(_UNFIT.findall(text))
