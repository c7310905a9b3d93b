"""Which token sequences go through the model together, and how."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from judgeharness.backends.local.prefix_tree import Tokens


def batches(lengths: Sequence[int], most_tokens: int, kinds: Sequence[int]) -> list[list[int]]:
    """Indices of sequences, longest first, in batches of at most `most_tokens` tokens with padding.

    A longer sequence is a batch of its own. kinds: a number for each sequence; those of a batch are of one kind.
    """
    found: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], kinds[index])):
        longest = lengths[found[-1][0]] if found else 0
        fits = bool(found) and longest * (len(found[-1]) + 1) <= most_tokens
        if fits and kinds[index] == kinds[found[-1][0]]:
            found[-1].append(index)
        else:
            found.append([index])
    return found


def padded(prompts: Sequence[Tokens], device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts padded on the left, and which of the tokens are theirs: (prompts, longest) twice."""
    width = max(map(len, prompts))
    tokens = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return tokens.to(device), mask.to(device)
