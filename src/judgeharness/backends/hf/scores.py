"""What is read after a prompt: the answer letters' logits, and their total probability."""

from __future__ import annotations

import torch

_TOLERANCE = {torch.float32: 2e-3, torch.float16: 0.1, torch.bfloat16: 0.5}


def tolerance(dtype: torch.dtype) -> float:
    """Return how much logits in a number format may differ between two exact methods."""
    return _TOLERANCE.get(dtype, _TOLERANCE[torch.bfloat16])


def letter_scores(logits: torch.Tensor, letters: torch.Tensor) -> torch.Tensor:
    """Return the letters' columns of logits (prompts, vocabulary), followed by their mass.

    The result has the shape (prompts, letters + 1) and is float32.
    """
    every = logits.float()
    chosen = every.index_select(1, letters.to(every.device))
    mass = (chosen.logsumexp(1) - every.logsumexp(1)).exp()
    return torch.cat([chosen, mass[:, None]], dim=1)
