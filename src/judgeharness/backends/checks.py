"""Which prompts a way of scoring is tried on first: the shortest and longest so far, and some between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from judgeharness.prefixes import Tokens

SPREAD = 4


class CheckedLengths:
    """The shortest and the longest prompt that a way of scoring was tried on."""

    def __init__(self) -> None:
        self._shortest: Tokens | None = None
        self._longest: Tokens | None = None

    def sample(self, prompts: Sequence[Tokens]) -> list[Tokens]:
        """Prompts to try it on before these are scored; none if longer and shorter ones were tried already.

        A few of these from the shortest to the longest, the extremes so far, and one that is as long as the shortest
        but is not that one. They count as tried from now on.
        """
        ordered = sorted(prompts, key=len)
        if self._shortest is not None and self._longest is not None:
            if len(self._shortest) <= len(ordered[0]) and len(ordered[-1]) <= len(self._longest):
                return []
            ordered = sorted([self._shortest, *ordered, self._longest], key=len)
        self._shortest, self._longest = ordered[0], ordered[-1]
        places = np.linspace(0, len(ordered) - 1, min(SPREAD, len(ordered))).round().astype(int)
        chosen = [ordered[place] for place in places.tolist()]
        chosen.append(self._longest[: len(self._shortest)])
        return [list(prompt) for prompt in dict.fromkeys(map(tuple, chosen))]
