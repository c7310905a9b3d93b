"""Which token comes next: the most probable one, or one that is drawn, from a stream of its own for each text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import Decoding


class Drawer:
    """Chooses the tokens of one text, prompt `index` of its group. The same logits give the same tokens.

    One number from [0, 1) a token is all that is random, and it does not depend on the logits: models whose logits are
    nearly the same write nearly the same.
    """

    def __init__(self, decoding: Decoding, index: int) -> None:
        self._temperature = decoding.temperature
        self._stream = np.random.default_rng([decoding.seed, index])

    def draw(self, logits: npt.NDArray[np.floating]) -> int:
        """The next token, by logits (vocabulary,): by inversion of the cumulative distribution where it is drawn."""
        if self._temperature == 0:
            return int(np.argmax(logits))
        weights = np.exp((logits - logits.max()) / self._temperature)
        cumulative = np.cumsum(weights, dtype=np.float64)
        found = int(np.searchsorted(cumulative, self._stream.random() * cumulative[-1], side="right"))
        return min(found, len(cumulative) - 1)
