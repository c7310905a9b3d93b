"""How much the prompts of a group share: token sequences as a prefix tree, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of some prompts: `total` over all prompts, `unique` in their prefix tree."""

    total: int
    unique: int

    def __add__(self, other: TokenCount) -> TokenCount:
        """Counts of both together, nothing shared between them."""
        return TokenCount(self.total + other.total, self.unique + other.unique)


def count_tokens(prompts: Sequence[Sequence[int]]) -> TokenCount:
    """Count the tokens of prompts, and of their prefix tree: sorted, each adds what it does not share with the last."""
    total = unique = 0
    previous: tuple[int, ...] = ()
    for prompt in sorted(tuple(prompt) for prompt in prompts):
        total += len(prompt)
        unique += len(prompt) - _shared(previous, prompt)
        previous = prompt
    return TokenCount(total, unique)


def _shared(left: tuple[int, ...], right: tuple[int, ...]) -> int:
    for index, (a, b) in enumerate(zip(left, right, strict=False)):
        if a != b:
            return index
    return min(len(left), len(right))
