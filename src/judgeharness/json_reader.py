"""JSON from outside, read by one set of rules: tasks, predictions, explanations, stores, replies of servers.

A text is UTF-8, with or without a byte order mark. An object has each key once. Lines end at a line feed and nowhere
else: U+2028, U+0085 and form feeds are characters of a text. NaN and Infinity, which Python's writer produces, are read
as such: whoever uses a number checks that it is finite.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import IO, Any

MAX_LINE_BYTES = 4 << 20
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


class JsonError(ValueError):
    """What is wrong with a JSON text, in words. line: where, in a file of JSON lines."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


def read_json(text: str | bytes) -> Any:
    """The value of a JSON text. Raises JsonError."""
    try:
        decoded = text.decode("utf-8-sig") if isinstance(text, bytes) else text
        return json.loads(decoded, object_pairs_hook=_object)
    except UnicodeDecodeError as error:
        raise JsonError("not UTF-8") from error
    except JsonError:
        raise
    except (ValueError, RecursionError) as error:
        raise JsonError(f"not valid JSON: {error}") from error


def json_lines(stream: IO[bytes]) -> Iterator[tuple[int, Any]]:
    """The values of JSON lines with their line numbers, from 1; blank lines are passed over. Raises JsonError."""
    for number, line in enumerate(iter(lambda: stream.readline(MAX_LINE_BYTES + 1), b""), start=1):
        if len(line) > MAX_LINE_BYTES:
            raise JsonError(f"longer than {MAX_LINE_BYTES:,} bytes", number)
        if not line.strip():
            continue
        try:
            # A byte order mark belongs at the start of a file only.
            value = read_json(line if number == 1 else line.decode("utf-8"))
        except UnicodeDecodeError as error:
            raise JsonError("not UTF-8", number) from error
        except JsonError as error:
            raise JsonError(str(error), number) from error
        yield number, value


def finite_number(value: Any) -> float:
    """A finite number from a JSON number, or from a text that writes one in plain digits. Raises ValueError.

    Python would also read "1_0" as ten, and digits of any script.
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError("not a number")
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError("not a number")
    try:
        number = float(value)
    except OverflowError as error:
        raise ValueError("not a finite number") from error
    if not math.isfinite(number):
        raise ValueError("not a finite number")
    return number


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise JsonError(f"the key {json.dumps(twice)[:80]} is there twice in one object")
    return found
