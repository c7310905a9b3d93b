"""A key in every encoding, and whether a part of it is in some bytes."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
import zlib
from pathlib import Path

KEY = "sk-Zq7Xk9/Lm2+Vw4Rt6~Yp8Sd0"
WINDOW = 9


def forms(key: str) -> dict[str, str]:
    """The key in each encoding that a server or a library may write it in."""
    codes = key.encode()
    return {
        "as it is": key,
        "upper case": key.upper(),
        "URL": urllib.parse.quote(key, safe=""),
        "URL, every character": "".join(f"%{code:02x}" for code in codes),
        "JSON, every character": "".join(f"\\u{code:04X}" for code in codes),
        "HTML, every character": "".join(f"&#{code};" for code in codes),
        "HTML": html.escape(key).replace("/", "&#x2F;"),
        "Python, every character": "".join(f"\\x{code:02x}" for code in codes),
        "hex": codes.hex(),
        "HEX": codes.hex().upper(),
        "over lines": "\n".join(key[at : at + 6] for at in range(0, len(key), 6)),
        "with controls between": "\x01".join(key),
        **{f"base64 after {n}": base64.b64encode(b"~" * n + codes + b"!").decode() for n in range(3)},
        **{f"base64 for URLs after {n}": base64.urlsafe_b64encode(b"~" * n + codes).decode() for n in range(3)},
    }


def leaks(data: bytes, key: str = KEY) -> list[str]:
    """The encodings of which a stretch is in some bytes, or in what is packed in them."""
    text = data.decode("latin-1")
    for packed in re.findall(r"[A-Za-z0-9+/=]{40,}", text):
        try:
            text += zlib.decompress(base64.b64decode(packed)).decode("utf-8", "replace")
        except (ValueError, zlib.error):
            continue
    dense = "".join(char for char in text if "!" <= char <= "~")
    found = []
    for name, form in forms(key).items():
        windows = (form[at : at + WINDOW] for at in range(4, len(form) - WINDOW - 4))
        if any(window in text or window in dense for window in windows):
            found.append(name)
    return found


def files_that_leak(*folders: Path, key: str = KEY) -> dict[str, list[str]]:
    """What leaks, by the files below folders; models in a cache, which are large, are passed over."""
    paths = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    found = {str(path): leaks(path.read_bytes(), key) for path in paths if path.stat().st_size < 1 << 24}
    return {path: names for path, names in found.items() if names}


def echo(key: str = KEY) -> str:
    """A text with the key in all encodings."""
    return " | ".join(f"{form}" for form in forms(key).values())


def in_json(key: str = KEY) -> str:
    """A JSON string that a reader of JSON turns into the key."""
    return json.dumps(key)[:-1].replace(key, "".join(f"\\u{ord(char):04x}" for char in key)) + '"'
