"""Which prompts a way of scoring is checked on: the shortest and longest of a run so far, and at first some between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judgeharness.backends.local.prefix_tree import Tokens

SPREAD = 3


class CheckedLengths:
    """The shortest and the longest prompt that a way of scoring was checked on."""

    def __init__(self) -> None:
        self._shortest: Tokens | None = None
        self._longest: Tokens | None = None

    def sample(self, prompts: Sequence[Tokens]) -> list[Tokens]:
        """Prompts to check it on when these are scored; none if longer and shorter ones were checked already.

        At first a few of these from the shortest to the longest; later the shortest and the longest so far, of which
        one may not be among these. They count as checked from now on.
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
