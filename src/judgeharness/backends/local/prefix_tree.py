"""Prompts as a prefix tree, in which each shared token occurs once.

Tokens are in depth-first order, so that a token's subtree is an interval: token i sees token j if and only if j <= i <
ends[j]. A run of consecutive tokens therefore sees only itself and the ancestors of its first token.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Tokens = Sequence[int]
Indices = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class TokenCount:
    """The number of tokens in some prompts.

    Attributes:
        total: The tokens of all prompts.
        unique: The tokens in their prefix tree.
    """

    total: int
    unique: int

    def __add__(self, other: TokenCount) -> TokenCount:
        """Return the counts of both together, assuming that they share nothing."""
        return TokenCount(self.total + other.total, self.unique + other.unique)


@dataclass(frozen=True, slots=True, eq=False)
class PrefixTree:
    """One or more prefix trees side by side, with N tokens in depth-first order.

    Attributes:
        tokens: The token ids (N,).
        depths: The tokens' positions in their prompts, from 0 (N,).
        ends: One past the last token of each token's subtree (N,).
        leaves: The last token of each prompt, in the order of the prompts (prompts,). It may have tokens below it.
    """

    tokens: Indices
    depths: Indices
    ends: Indices
    leaves: Indices

    def ancestors(self, token: int) -> Indices:
        """Return the tokens above a token, from the root down."""
        return np.flatnonzero(self.ends[:token] > token)

    def path(self, prompt: int) -> Indices:
        """Return the token ids of a prompt."""
        leaf = int(self.leaves[prompt])
        found: Indices = self.tokens[np.append(self.ancestors(leaf), leaf)]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """R consecutive runs of a chunk, with B tokens each, and what they see.

    Attributes:
        first: The index of the first token in the chunk.
        keys: Indices of keys among the chunk's kept and own tokens (R, K).
        visible: Whether a token sees a key (R, B, K).
        distances: How far back a key is (R, B, K).
    """

    first: int
    keys: Indices
    visible: Booleans
    distances: Indices

    @property
    def shape(self) -> tuple[int, int]:
        """R and B."""
        return self.visible.shape[0], self.visible.shape[1]


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive tokens that go through a model together, after all earlier ones.

    Attributes:
        start: The index of its first token in the tree.
        stop: One past the index of its last token.
        kept: The ancestors of its first token, the only earlier tokens that any of its tokens sees.
        carried: The indices, among the kept and own tokens, of those that the next chunk keeps.
        blocks: Its tokens in blocks.
    """

    start: int
    stop: int
    kept: Indices
    carried: Indices
    blocks: tuple[Block, ...]


def count_tokens(prompts: Sequence[Tokens]) -> TokenCount:
    """Count the tokens of prompts, and of their prefix tree."""
    return TokenCount(sum(map(len, prompts)), len(build_tree(prompts).tokens))


def build_tree(prompts: Sequence[Tokens]) -> PrefixTree:
    """Return the prefix tree of token sequences. Raises ValueError for an empty sequence, which has no last token."""
    if any(len(prompt) == 0 for prompt in prompts):
        raise ValueError("a prompt without tokens has no place in a prefix tree")
    distinct = sorted({tuple(prompt) for prompt in prompts})
    rows = [np.array(prompt, dtype=np.int64) for prompt in distinct]
    shared = [0, *(_shared(left, right) for left, right in itertools.pairwise(rows))]
    sizes = [len(row) - common for row, common in zip(rows, shared, strict=False)]
    starts = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)
    total = int(starts[-1])
    ends = np.full(total, total, dtype=np.int64)
    current = np.empty(max(map(len, rows), default=0), dtype=np.int64)
    leaves: dict[tuple[int, ...], int] = {}
    for index, (row, common) in enumerate(zip(rows, shared, strict=False)):
        if index:
            # The previous prompt's tokens below the fork end where this prompt begins.
            ends[current[common : len(rows[index - 1])]] = starts[index]
        current[common : len(row)] = np.arange(starts[index], starts[index + 1])
        leaves[distinct[index]] = int(current[len(row) - 1])
    return PrefixTree(
        tokens=_joined([row[common:] for row, common in zip(rows, shared, strict=False)]),
        depths=_joined([np.arange(common, len(row)) for row, common in zip(rows, shared, strict=False)]),
        ends=ends,
        leaves=np.array([leaves[tuple(prompt)] for prompt in prompts], dtype=np.int64),
    )


def side_by_side(trees: Sequence[PrefixTree]) -> PrefixTree:
    """Combine trees into one that shares nothing between them. The leaves of the first tree come first."""
    offsets = np.cumsum([0, *(len(tree.tokens) for tree in trees)])
    return PrefixTree(
        tokens=_joined([tree.tokens for tree in trees]),
        depths=_joined([tree.depths for tree in trees]),
        ends=_joined([tree.ends + offset for tree, offset in zip(trees, offsets, strict=False)]),
        leaves=_joined([tree.leaves + offset for tree, offset in zip(trees, offsets, strict=False)]),
    )


def cut(tree: PrefixTree, chunk_tokens: int, run_tokens: int, runs_together: int) -> Iterator[Chunk]:
    """Split the tree into chunks.

    Args:
        tree: The tree.
        chunk_tokens: The most tokens of a chunk.
        run_tokens: The most tokens of a run.
        runs_together: The most runs of a block.
    """
    total = len(tree.tokens)
    kept = np.empty(0, dtype=np.int64)
    size = _even(total, chunk_tokens, run_tokens)
    for start in range(0, total, size):
        stop = min(start + size, total)
        at_hand = np.concatenate([kept, np.arange(start, stop)])
        following = tree.ancestors(stop) if stop < total else np.empty(0, dtype=np.int64)
        blocks = tuple(
            _block(tree, firsts, size, start, at_hand) for firsts, size in _runs(start, stop, run_tokens, runs_together)
        )
        yield Chunk(start, stop, kept, np.searchsorted(at_hand, following), blocks)
        kept = following


def _even(total: int, most: int, run_tokens: int) -> int:
    """Return a chunk size of at most `most` that leaves no small chunk at the end, in whole runs if possible."""
    size = -(-total // max(1, -(-total // most)))
    whole_runs = -(-size // run_tokens) * run_tokens
    return max(1, whole_runs if whole_runs <= most else size)


def _runs(start: int, stop: int, run_tokens: int, runs_together: int) -> Iterator[tuple[range, int]]:
    """Yield the first tokens of runs of equal size, with that size. The remaining tokens are a run of their own."""
    whole = start + (stop - start) // run_tokens * run_tokens
    firsts = range(start, whole, run_tokens)
    for begin in range(0, len(firsts), runs_together):
        yield firsts[begin : begin + runs_together], run_tokens
    if whole < stop:
        yield range(whole, whole + 1), stop - whole


def _block(tree: PrefixTree, firsts: range, size: int, start: int, at_hand: Indices) -> Block:
    seen = [np.append(tree.ancestors(first), np.arange(first, first + size)) for first in firsts]
    longest = max(map(len, seen))
    # Pad shorter rows with their own tokens, which are hidden below.
    keys = np.array([np.resize(columns, longest) for columns in seen])
    there = np.arange(longest) < np.array([len(columns) for columns in seen])[:, None]
    asking = (np.array(firsts)[:, None] + np.arange(size))[:, :, None]
    asked = keys[:, None, :]
    visible = there[:, None, :] & (asked <= asking) & (asking < tree.ends[asked])
    distances = tree.depths[asking] - tree.depths[asked]
    return Block(firsts[0] - start, np.searchsorted(at_hand, keys), visible, distances)


def _shared(left: Indices, right: Indices) -> int:
    length = min(len(left), len(right))
    differ = left[:length] != right[:length]
    return int(differ.argmax()) if differ.any() else length


def _joined(parts: Sequence[Indices]) -> Indices:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
