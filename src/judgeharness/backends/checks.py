"""Chooses the prompts on which a scoring method is checked: the shortest, the longest, and at first some in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judgeharness.backends.local.prefix_tree import Tokens

SPREAD = 3


class CheckedLengths:
    """The shortest and the longest prompt on which a scoring method has been checked."""

    def __init__(self) -> None:
        self._shortest: Tokens | None = None
        self._longest: Tokens | None = None

    def sample(self, prompts: Sequence[Tokens]) -> list[Tokens]:
        """Return the prompts to check when these prompts are scored, and count them as checked.

        The first sample has a few of these prompts, from the shortest to the longest. Later samples have the shortest
        and the longest prompt so far, one of which may be from an earlier call. The sample is empty if prompts at least
        as short and as long have already been checked.
        """
        ordered = sorted(map(tuple, prompts), key=len)
        if self._shortest is None or self._longest is None:
            places = np.linspace(0, len(ordered) - 1, min(SPREAD, len(ordered))).round().astype(int)
            chosen = [ordered[place] for place in places.tolist()]
        elif len(self._shortest) <= len(ordered[0]) and len(ordered[-1]) <= len(self._longest):
            return []
        else:
            chosen = [min(self._shortest, ordered[0], key=len), max(self._longest, ordered[-1], key=len)]
        self._shortest, self._longest = chosen[0], chosen[-1]
        return list(dict.fromkeys(map(tuple, chosen)))
