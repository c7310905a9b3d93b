"""Bounds the size of an operation's result in a template before the result is built.

Sizes are in characters. A list counts ELEMENT for each value, in addition to the size of the value.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterable
from typing import Any

from jinja2.exceptions import SecurityError
from markupsafe import Markup

MAX_CHARACTERS = 4_000_000
"""The limit for a text that a template builds or writes."""

MAX_NUMBER = 10_000
"""The largest length to which text may be padded or truncated."""

MAX_BITS = 10_000
ELEMENT = 16
ESCAPED = 6
"""The most characters that escaping for HTML makes of one."""

PADDING = frozenset(
    [
        "batch",
        "center",
        "expandtabs",
        "indent",
        "ljust",
        "rjust",
        "round",
        "slice",
        "to_bytes",
        "tojson",
        "truncate",
        "zfill",
    ]
)
"""Methods and filters that take a length."""

_PERCENT = re.compile(r"%(?:\([^)]*\))?[-+ #0]*(\*|\d*)(?:\.(\*|\d*))?")
_NUMBER = re.compile(r"\d+")


def weight(value: object) -> int:
    """Return a value's approximate size in characters, or a number above MAX_CHARACTERS if it is larger than that."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, int):
        return ELEMENT if value.bit_length() <= MAX_BITS else MAX_CHARACTERS + 1
    if isinstance(value, dict):
        return _sum(part for pair in value.items() for part in pair)
    return _sum(value) if isinstance(value, list | tuple | set | range) else ELEMENT


def of_operator(operator: str, left: Any, right: Any) -> int:
    """Return the size of an operator's result. Raises SecurityError if a number would get too large."""
    if isinstance(left, int) and isinstance(right, int):
        return _of_numbers(operator, left, right)
    if operator == "%" and isinstance(left, str | bytes):
        return _percent(left, right if isinstance(right, tuple) else [right])
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(times, int) and not isinstance(sequence, float):
                return weight(sequence) * abs(times)
    return 0


def of_method(name: str, owner: Any, *given: Any, **named: Any) -> int:
    """Return the size of the result of a text's or number's method. Raises SecurityError for excessive lengths."""
    if name in ("maketrans", "translate"):
        raise SecurityError(f"'{name}' is not available")
    return _of_known(_METHODS, name, owner, *given, **named)


def of_filter(name: str, value: Any, *given: Any, **named: Any) -> int:
    """Return the size of a filter's result. Raises SecurityError as `of_method` does, and for a sum of non-numbers."""
    if name == "sum" and not isinstance(named.get("start", given[1] if len(given) > 1 else 0), int | float):
        raise SecurityError("'sum' is for numbers")
    return _of_known(_FILTERS, name, value, *given, **named)


def of_format(form: str, values: Iterable[Any]) -> int:
    """Return the size of a text with fields in braces. Raises SecurityError for excessive widths."""
    most, size = max(map(weight, values), default=0), len(form)
    for _, field, spec, _ in string.Formatter().parse(form):
        if spec and "{" in spec:
            raise SecurityError("a width that is itself a field is not available")
        if field is not None:
            size += most + _width(spec or "")
    return size


def _of_numbers(operator: str, left: int, right: int) -> int:
    bits = left.bit_length() * max(right, 1) if operator == "**" else left.bit_length() + right.bit_length()
    if bits > 2 * MAX_BITS:
        raise SecurityError("computes a number with thousands of digits")
    return ELEMENT


def _of_known(sizes: dict[str, Callable[..., int]], name: str, *given: Any, **named: Any) -> int:
    if name in PADDING:
        for number in (*given[1:], *named.values()):
            if isinstance(number, int | float) and abs(number) > MAX_NUMBER:
                raise SecurityError(f"'{name}' takes numbers up to {MAX_NUMBER:,}")
    try:
        return sizes[name](*given, **named) if name in sizes else 0
    except TypeError:
        # The arguments are wrong, and the call itself will report it.
        return 0


def _sum(values: Iterable[Any]) -> int:
    total = ELEMENT
    for value in values:
        total += ELEMENT + weight(value)
        if total > MAX_CHARACTERS:
            break
    return total


def _replaced(text: Any, old: Any, new: Any, count: Any = None) -> int:
    text, old = (each if isinstance(each, str | bytes) else str(each) for each in (text, old))
    grown = weight(new if isinstance(new, str | bytes) else str(new)) * text.count(old)
    return int(len(text) + grown) * (ESCAPED if isinstance(text, Markup) else 1)


def _joined(separator: Any, parts: list[Any]) -> int:
    return weight(parts) - ELEMENT * len(parts) + len(separator) * len(parts)


def _untabbed(text: Any, tabsize: int = 8) -> int:
    return int(len(text) + text.count(b"\t" if isinstance(text, bytes) else "\t") * tabsize)


def _indented(text: Any, width: Any = 4, first: Any = False, blank: Any = False) -> int:
    lines = len(str(text).splitlines()) + 1
    return len(str(text)) + lines * (len(width) if isinstance(width, str) else int(width))


def _formatted(text: Any, *given: Any, **named: Any) -> int:
    return _percent(str(text), [*given, *named.values()])


def _percent(form: Any, values: Any) -> int:
    text = form.decode("latin-1") if isinstance(form, bytes) else form
    most, size = max(map(weight, values), default=0), len(text)
    for width, precision in _PERCENT.findall(text):
        if "*" in (width, precision):
            raise SecurityError("a width that is itself a value is not available")
        size += most + _width(width) + _width(precision)
    return size


def _width(spec: str) -> int:
    numbers = [int(found) if len(found) < 6 else MAX_NUMBER + 1 for found in _NUMBER.findall(spec)]
    if max(numbers, default=0) > MAX_NUMBER:
        raise SecurityError(f"a text is padded to {MAX_NUMBER:,} characters at most")
    return sum(numbers)


_METHODS: dict[str, Callable[..., int]] = {"expandtabs": _untabbed, "join": _joined, "replace": _replaced}
_FILTERS: dict[str, Callable[..., int]] = {"format": _formatted, "indent": _indented, "replace": _replaced}
FILTERS = PADDING | {"sum"} | _FILTERS.keys()
"""Filters whose results may be larger than their input."""
