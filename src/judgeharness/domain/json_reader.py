"""JSON from outside, read by one set of rules: tasks, predictions, explanations, stores, replies of servers.

Text is UTF-8, with or without a byte order mark. An object must not have duplicate keys. Lines end only at a line feed:
U+2028, U+0085 and form feeds are characters of a text. NaN and Infinity, which Python writes, are accepted, so code
that uses a number checks that it is finite.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections.abc import Iterator
from typing import IO, Any

MAX_LINE_BYTES = 4 << 20
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?P<colon>\s*:)?|[{}]', re.DOTALL)


class JsonError(ValueError):
    """Says what is wrong with a JSON text.

    Attributes:
        line: The line number in a file of JSON lines, from 1.
        key: The duplicate key of an object, if that is the error.
    """

    def __init__(self, reason: str, line: int | None = None, key: str | None = None) -> None:
        super().__init__(reason)
        self.line = line
        self.key = key


def read_json(text: str | bytes) -> Any:
    """Return the value of a JSON text. Raises JsonError."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8") from error
    try:
        return _DECODER.decode(decoded)
    except json.JSONDecodeError as error:
        raise JsonError(f"not valid JSON: {error.msg} ({_place(decoded, error.pos)})") from error
    except _TwiceError as error:
        key, position = _second_key(decoded)
        shown = f"the key {json.dumps(key)[:80]} is there twice in one object"
        raise JsonError(f"{shown} ({_place(decoded, position)})", key=key) from error
    except (ValueError, RecursionError) as error:
        raise JsonError(f"not valid JSON: {error}") from error


MAX_LINES = 10_000_000


def json_lines(stream: IO[bytes], most: int = MAX_LINE_BYTES) -> Iterator[tuple[int, Any]]:
    """Yield the line numbers, from 1, and the values of JSON lines. Blank lines are skipped.

    Args:
        stream: The file.
        most: The largest size of a line, in bytes.

    Raises:
        JsonError: If a line is too long or is not JSON.
    """
    for number, given in enumerate(iter(lambda: stream.readline(most + 1), b""), start=1):
        if len(given) > most:
            raise JsonError(f"longer than {most:,} bytes", number)
        if number > MAX_LINES:
            raise JsonError(f"more than {MAX_LINES:,} lines", number)
        line = given.removeprefix(codecs.BOM_UTF8) if number == 1 else given
        if not line.strip():
            continue
        try:
            # Decode first: given bytes, a byte order mark would be accepted at the start of every line.
            value = read_json(line.decode())
        except UnicodeDecodeError as error:
            raise JsonError("not UTF-8", number) from error
        except JsonError as error:
            raise JsonError(str(error), number, error.key) from error
        yield number, value


def finite_number(value: Any) -> float:
    """Return a finite number from a JSON number, or from a text that writes one in plain digits.

    Python itself would also read "1_0" as ten, and the digits of any script.

    Raises:
        ValueError: If the value is anything else.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value.strip()):
        raise ValueError("not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("not a finite number") from error
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def written(value: Any) -> str | None:
    """Return a text unchanged, and a finite number as Python writes it. Anything else, also a boolean, gives None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return None if isinstance(value, float) and not math.isfinite(value) else str(value)


def spellings(value: str | float) -> set[str]:
    """Return all ways to write an id. 1 and 1.0 are the same number, but the texts "1" and "1.0" differ."""
    return {str(value), str(int(value))} if isinstance(value, float) and value.is_integer() else {str(value)}


class _TwiceError(Exception):
    """An object has a duplicate key."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _TwiceError
    return found


_DECODER = json.JSONDecoder(object_pairs_hook=_object)


def _second_key(text: str) -> tuple[str, int]:
    """Return the first duplicate key of an object and its position, in a text that is valid JSON up to there."""
    objects: list[set[str]] = []
    for token in _TOKEN.finditer(text):
        if token[0] == "{":
            objects.append(set())
        elif token[0] == "}":
            objects.pop()
        elif token["colon"]:
            key = json.loads(token[0].removesuffix(token["colon"]))
            if key in objects[-1]:
                return key, token.start()
            objects[-1].add(key)
    raise AssertionError("no key is there twice")


def _place(text: str, position: int) -> str:
    """Describe a position, with its line only if the text has several."""
    column = position - text.rfind("\n", 0, position)
    if "\n" not in text.strip():
        return f"column {column}"
    return f"line {text.count(chr(10), 0, position) + 1}, column {column}"
