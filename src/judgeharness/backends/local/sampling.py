"""Chooses the next token: the most probable one, or a sampled one, with a random stream for each text."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import Decoding


class Drawer:
    """Chooses the tokens of one text. The same logits give the same tokens.

    The only randomness is one number from [0, 1) for each token, which does not depend on the logits. Models with
    nearly the same logits therefore generate nearly the same text.

    Args:
        decoding: The temperature and the seed.
        index: The prompt's index in its group.
    """

    def __init__(self, decoding: Decoding, index: int) -> None:
        self._temperature = decoding.temperature
        self._stream = np.random.default_rng([decoding.seed, index])

    def draw(self, logits: npt.NDArray[np.floating]) -> int:
        """Return the next token for logits (vocabulary,). Sampling inverts the cumulative distribution."""
        if self._temperature == 0:
            return int(np.argmax(logits))
        weights = np.exp((logits - logits.max()) / self._temperature)
        cumulative = np.cumsum(weights, dtype=np.float64)
        found = int(np.searchsorted(cumulative, self._stream.random() * cumulative[-1], side="right"))
        return min(found, len(cumulative) - 1)
