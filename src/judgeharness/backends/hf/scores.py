"""What is read after a prompt: the answer letters' logits, and the probability that they hold together."""

from __future__ import annotations

import torch

_TOLERANCE = {torch.float32: 2e-3, torch.float16: 0.1, torch.bfloat16: 0.5}


def tolerance(dtype: torch.dtype) -> float:
    """How far the logits of two exact ways of computing them may lie apart in a number format."""
    return _TOLERANCE.get(dtype, _TOLERANCE[torch.bfloat16])


def letter_scores(logits: torch.Tensor, letters: torch.Tensor) -> torch.Tensor:
    """From logits (prompts, vocabulary) the letters' columns and, last, their mass: (prompts, letters + 1), float32."""
    every = logits.float()
    chosen = every.index_select(1, letters.to(every.device))
    mass = (chosen.logsumexp(1) - every.logsumexp(1)).exp()
    return torch.cat([chosen, mass[:, None]], dim=1)
