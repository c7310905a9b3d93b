"""Groups token sequences into batches, and pads them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from judgeharness.backends.local.prefix_tree import Tokens


def batches(lengths: Sequence[int], most_tokens: int, kinds: Sequence[int]) -> list[list[int]]:
    """Return batches of sequences, as indices, longest first.

    A batch has at most `most_tokens` tokens, padding included. A longer sequence gets a batch of its own.

    Args:
        lengths: The length of each sequence.
        most_tokens: The most tokens of a batch.
        kinds: A number for each sequence. Only sequences with the same number share a batch.
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
    """Pad prompts on the left.

    Returns:
        The tokens and the attention mask, both of shape (prompts, longest).
    """
    width = max(map(len, prompts))
    tokens = torch.zeros((len(prompts), width), dtype=torch.long)
    mask = torch.zeros((len(prompts), width), dtype=torch.long)
    for row, prompt in enumerate(prompts):
        tokens[row, width - len(prompt) :] = torch.tensor(prompt)
        mask[row, width - len(prompt) :] = 1
    return tokens.to(device), mask.to(device)
