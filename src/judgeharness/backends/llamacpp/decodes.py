"""What llama.cpp is given, step by step: a prefix tree as batches of tokens that belong to several sequences.

Each distinct prompt is a sequence, numbered as its last token stands in the tree. A token's subtree is an interval, so
the prompts that share it are consecutive. After a step, the sequences that ended in it are forgotten: what stays in
memory is the path to the next token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.prefixes import Indices, PrefixTree, Tokens, build_tree


@dataclass(frozen=True, slots=True, eq=False)
class Decode:
    """One call of llama_decode with B tokens.

    tokens: (B,) ids. positions: (B,). first_sequences, last_sequences: (B,) the sequences of each token, the last not
    included. outputs: places in the batch of the tokens whose logits are read. finished: the first and one past the
    last sequence that no later step needs.
    """

    tokens: Indices
    positions: Indices
    first_sequences: Indices
    last_sequences: Indices
    outputs: Indices
    finished: tuple[int, int]


def decodes(tree: PrefixTree, batch_tokens: int) -> Iterator[Decode]:
    """The steps of a tree. Their outputs, one after the other, are those of the sequences in order."""
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


def one_by_one(prompts: Sequence[Tokens], batch_tokens: int) -> Iterator[Iterator[Decode]]:
    """The steps of each prompt alone, for models that cannot follow a tree."""
    for prompt in prompts:
        yield decodes(build_tree([prompt]), batch_tokens)


def parts(prompts: Sequence[Tokens], most: int) -> list[list[int]]:
    """The prompts' indices in parts with at most `most` distinct prompts each, those that begin alike together."""
    places: dict[tuple[int, ...], list[int]] = {}
    for index, prompt in enumerate(prompts):
        places.setdefault(tuple(prompt), []).append(index)
    ordered = sorted(places)
    return [
        [index for prompt in ordered[start : start + most] for index in places[prompt]]
        for start in range(0, len(ordered), most)
    ]
