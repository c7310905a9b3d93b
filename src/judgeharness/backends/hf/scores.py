"""What is read after a prompt: the answer letters' logits, and the probability that they hold together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from judgeharness.domain import FloatArray


@dataclass(frozen=True, slots=True)
class LetterScores:
    """logits: (prompts, letters), raw. mass: (prompts,), the probability that the letters hold together."""

    logits: FloatArray
    mass: FloatArray


def letter_scores(logits: torch.Tensor, letters: Sequence[int]) -> torch.Tensor:
    """From logits (prompts, vocabulary) the letters' columns and, last, their mass: (prompts, letters + 1), float32."""
    every = logits.float()
    chosen = every[:, list(letters)]
    mass = (chosen.logsumexp(1) - every.logsumexp(1)).exp()
    return torch.cat([chosen, mass[:, None]], dim=1)
