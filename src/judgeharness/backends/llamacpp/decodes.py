"""The steps that llama.cpp runs: a prefix tree as batches of tokens that belong to several sequences.

Each distinct prompt is a sequence. Sequences are numbered in the order of their last tokens in the tree. A token's
subtree is an interval, so the prompts that share it are consecutive. After each step, the sequences that ended in it
are removed, so that only the path to the next token stays in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.backends.local.prefix_tree import Indices, PrefixTree, Tokens, build_tree


@dataclass(frozen=True, slots=True, eq=False)
class Decode:
    """One call of llama_decode with B tokens.

    Attributes:
        tokens: The token ids (B,).
        positions: Their positions (B,).
        first_sequences: The first sequence of each token (B,).
        last_sequences: One past the last sequence of each token (B,).
        outputs: The indices, in the batch, of the tokens whose logits are read.
        finished: The first and one past the last sequence that no later step needs.
    """

    tokens: Indices
    positions: Indices
    first_sequences: Indices
    last_sequences: Indices
    outputs: Indices
    finished: tuple[int, int]


def decodes(tree: PrefixTree, batch_tokens: int) -> Iterator[Decode]:
    """Yield the steps of a tree. Their outputs, one after another, are those of the sequences in order."""
    total = len(tree.tokens)
    ends = np.unique(tree.leaves)
    first, last = np.searchsorted(ends, np.arange(total)), np.searchsorted(ends, tree.ends)
    done = 0
    for start in range(0, total, batch_tokens):
        stop = min(start + batch_tokens, total)
        part = slice(start, stop)
        before, done = done, int(np.searchsorted(ends, stop))
        outputs = ends[before:done] - start
        yield Decode(tree.tokens[part], tree.depths[part], first[part], last[part], outputs, (before, done))


def kept(tree: PrefixTree, leaves: Indices, counts: Indices, batch_tokens: int) -> Iterator[Decode]:
    """Yield the steps of a tree from which no sequence is removed, for prompts that are continued.

    The outputs, one after another, are those of the leaves.

    Args:
        tree: The prompts' prefix tree.
        leaves: The prompts' last tokens, in order and without duplicates.
        counts: How many sequences continue each of them. Sequences are numbered in the same order.
        batch_tokens: The most tokens of a step.
    """
    total = len(tree.tokens)
    offsets = np.concatenate([[0], np.cumsum(counts)])
    first = offsets[np.searchsorted(leaves, np.arange(total))]
    last = offsets[np.searchsorted(leaves, tree.ends)]
    for start in range(0, total, batch_tokens):
        part = slice(start, min(start + batch_tokens, total))
        outputs = leaves[(leaves >= part.start) & (leaves < part.stop)] - start
        yield Decode(tree.tokens[part], tree.depths[part], first[part], last[part], outputs, (0, 0))


def one_token_each(texts: Sequence[tuple[int, int, int]]) -> Decode:
    """Return the step that adds one token to each of several texts.

    Args:
        texts: The token, its position and its sequence, for each text.
    """
    tokens, places, sequences = np.array(texts, dtype=np.int64).T
    return Decode(tokens, places, sequences, sequences + 1, np.arange(len(texts)), (0, 0))


def one_by_one(prompts: Sequence[Tokens], batch_tokens: int) -> Iterator[Iterator[Decode]]:
    """Yield the steps of each prompt alone, for models that cannot be scored as a tree."""
    for prompt in prompts:
        yield decodes(build_tree([prompt]), batch_tokens)


def parts(prompts: Sequence[Tokens], most: int) -> list[list[int]]:
    """Split prompts into parts of at most `most` distinct ones each, with similar beginnings together.

    Returns:
        The indices of the prompts in each part.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        places.setdefault(tuple(prompt), []).append(index)
    ordered = sorted(places)
    return [
        [index for prompt in ordered[start : start + most] for index in places[prompt]]
        for start in range(0, len(ordered), most)
    ]
