"""Check the shape of JSON in the store, because a store may come from anybody.

Each function raises ValueError if the text has another shape. `rows.reading` turns this into an error for users.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judgeharness.domain.json_reader import read_json

NUMBER = (int, float)
NUMBER_OR_NULL = (int, float, type(None))


def numbers(text: str, count: int | None = None) -> tuple[float, ...]:
    """Read a list of finite numbers, of length `count` if that is given."""
    found = read_json(text)
    if not isinstance(found, list) or not all(_is_number(each) for each in found):
        raise ValueError("not a list of numbers")
    if count is not None and len(found) != count:
        raise ValueError(f"{len(found)} numbers, not {count}")
    return tuple(map(float, found))


def distribution(text: str, count: int) -> tuple[float, ...]:
    """Read a probability distribution over `count` labels."""
    found = numbers(text, count)
    if min(found) < 0 or abs(math.fsum(found) - 1) > 1e-6:
        raise ValueError("not a probability distribution")
    return found


def words(text: str) -> tuple[str, ...]:
    """Read a list of texts."""
    found = read_json(text)
    if not are_words(found):
        raise ValueError("not a list of texts")
    return tuple(found)


def marks(text: str) -> tuple[bool, ...]:
    """Read a list of booleans."""
    found = read_json(text)
    if not isinstance(found, list) or not all(isinstance(each, bool) for each in found):
        raise ValueError("not a list of true and false")
    return tuple(found)


@dataclass(frozen=True, slots=True)
class Nullable:
    """An object with values of these kinds, or null."""

    kinds: Mapping[str, Any]


def mapping(text: str, kinds: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read an object, and check those of its values that `kinds` names and that exist.

    A kind is what `isinstance` takes, a function that says whether a value is right, or a mapping for a nested object
    that must have all of the mapping's names.
    """
    found = read_json(text)
    if not isinstance(found, dict):
        raise ValueError("not an object")
    for name, kind in (kinds or {}).items():
        if name in found and not _is_of(found[name], kind):
            raise ValueError(f"'{name}' is not of its kind")
    return found


def are_words(value: Any) -> bool:
    """Return whether a value is a list of texts."""
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def are_named_words(value: Any) -> bool:
    """Return whether a value is an object whose values are texts."""
    return isinstance(value, dict) and all(isinstance(each, str) for each in value.values())


def _is_of(value: Any, kind: Any) -> bool:
    if isinstance(kind, Nullable):
        return value is None or _is_of(value, kind.kinds)
    if isinstance(kind, Mapping):
        return isinstance(value, dict) and all(name in value and _is_of(value[name], kind[name]) for name in kind)
    if isinstance(kind, type | tuple):
        return isinstance(value, kind) and (not isinstance(value, bool) or kind is bool)
    return bool(kind(value))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
