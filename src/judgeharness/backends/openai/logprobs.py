"""Reads numbers in a reply: each is a log-probability, a placeholder for a missing one, or nonsense.

For a token that is masked or has no value, servers write -9999.0 (vLLM), the smallest number of a format (-3.4e38),
-Infinity, or null (pydantic's form of -inf). None of these says how probable the token is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from judgeharness.backends.openai.faults import NonsenseError
from judgeharness.domain.nouns import MAX_TOTAL, PLACEHOLDER

ROUNDING = 1e-3


def read_logprobs(values: Sequence[Any]) -> list[float | None]:
    """Return natural log-probabilities from the JSON values of one reply, with None for each missing one.

    Raises NonsenseError if a value cannot be a log-probability.
    """
    found = [_number(value) for value in values]
    given = [number for number in found if number is not None]
    highest = max(given, default=0.0)
    if highest > ROUNDING:
        linear = all(0 <= number <= 1 for number in given)
        raise _nonsense(
            f"{highest:.3g} is above 0"
            + ("; all are from 0 to 1, so they look like probabilities, not like their logarithms" if linear else "")
        )
    return [None if number is None else min(number, 0.0) for number in found]


def require_total(logprobs: Iterable[float]) -> None:
    """Raise NonsenseError if the probabilities of different tokens sum to more than 1."""
    total = math.fsum(map(math.exp, logprobs))
    if total > MAX_TOTAL:
        raise _nonsense(f"the probabilities of the tokens sum to {total:.3g}")


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _nonsense(f"{str(value)[:40]!r} is not a number")
    if isinstance(value, float) and math.isnan(value):
        raise _nonsense("NaN is not a number")
    if value <= PLACEHOLDER:
        return None
    # An integer in JSON can be too large for a float.
    return float(value) if value < 1e300 else math.inf


def _nonsense(reason: str) -> NonsenseError:
    return NonsenseError(f"the server's log-probabilities make no sense: {reason}")
