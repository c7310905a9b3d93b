r"""Makes text from outside safe to show: nothing in it moves the cursor, hides text, or changes the reading order.

The following are shown as escapes such as `\x1b` and `\u202e`: control characters, half surrogate pairs, line and
paragraph separators, private-use characters, and invisible characters that set directions, tag text, fill space or join
nothing. Letters of every script keep their own direction. Joiners stay, since emoji and Persian need them.
"""

from __future__ import annotations

import re
from typing import Any

_CONTROLS = r"\x00-\x1f\x7f-\x9f"
_INVISIBLE = (
    r"\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0e"
    r"\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\U000f0000-\U0010ffff"
)
_UNFIT_IN_LINES = f"[{_CONTROLS}{_INVISIBLE}]"
_UNFIT = rf"(?![\n\t]){_UNFIT_IN_LINES}"


def safe(text: str) -> str:
    """Return a text in which unsafe characters are escaped. Line feeds and tabs stay."""
    return re.sub(_UNFIT, _escape, text)


def safe_line(text: str) -> str:
    """Return a text as `safe` does, but in one line: line feeds and tabs are escaped too."""
    # Most texts are plain, and need no regular expression, which takes long to compile.
    if text.isascii() and text.isprintable():
        return text
    return re.sub(_UNFIT_IN_LINES, _escape, text)


def json_text(value: Any) -> str:
    """Return a value as JSON in one line. If it has any unsafe character, all non-ASCII characters are escaped."""
    import json

    text = json.dumps(value, ensure_ascii=False)
    return text if safe(text) == text else json.dumps(value)


def safe_data(value: Any) -> Any:
    """Return plain data with `safe` applied to each text, including the names in objects."""
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, list | tuple):
        return [safe_data(each) for each in value]
    return {safe_data(key): safe_data(each) for key, each in value.items()} if isinstance(value, dict) else value


def _escape(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
