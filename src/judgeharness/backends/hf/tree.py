"""Scores prompts as a prefix tree: each shared token goes through the model once.

The model's own forward pass runs over chunks of the tree's tokens. Its attention function is replaced by one that knows
which tokens see each other, and that keeps the keys and values of the current path. The other parts of the model work
token by token and are not affected.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import transformers

from judgeharness.backends.hf.device import placed
from judgeharness.backends.hf.scores import letter_scores
from judgeharness.backends.hf.state import PassState
from judgeharness.backends.letters import LetterScores
from judgeharness.backends.local.packing import Scoring
from judgeharness.backends.local.prefix_tree import Block, Chunk, PrefixTree, Tokens, build_tree, cut, side_by_side

ATTENTION = "judgeharness_prefix_tree"
KNOWN_LAYERS = frozenset({"full_attention", "sliding_attention"})
NEGLIGIBLE = frozenset({"dropout", "position_ids", "cache_position"})


class TreeUnfitError(Exception):
    """The model's attention cannot be replaced by that of a prefix tree. The message says why."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much goes through the model together.

    Attributes:
        chunk: The tokens of one forward pass.
        run: The tokens that share their keys.
        together: The runs in one attention call.
    """

    chunk: int
    run: int
    together: int


SIZES = {"cpu": Sizes(1_024, 64, 16), "mps": Sizes(4_096, 64, 64), "cuda": Sizes(16_384, 128, 64)}


def sizes_for(model: Any, chunk_tokens: int | None) -> Sizes:
    """Return the sizes for the model's device. All but those for mps were measured.

    Args:
        model: The model.
        chunk_tokens: Overrides the size of a chunk.
    """
    sizes = SIZES.get(model.get_input_embeddings().weight.device.type, SIZES["cpu"])
    return sizes if chunk_tokens is None else replace(sizes, chunk=chunk_tokens)


class TreeScorer:
    """Scores answer letters after prompts, with each token of their prefix tree run once.

    Args:
        model: The model.
        sizes: How much goes through the model together. The chunk is halved permanently whenever a GPU runs out of
            memory.
        state: The model's state as it was loaded.

    Raises:
        TreeUnfitError: If it is known beforehand that the tree does not fit the model.
    """

    def __init__(self, model: Any, sizes: Sizes, state: PassState | None = None) -> None:
        self._model = model
        self._pass_state = state or PassState(model)
        self._device = model.get_input_embeddings().weight.device
        self._sizes = sizes
        if "logits_to_keep" not in inspect.signature(model.forward).parameters:
            raise TreeUnfitError("its head cannot be applied to chosen positions")
        strange = set(getattr(model.config.get_text_config(), "layer_types", None) or ()) - KNOWN_LAYERS
        if strange:
            raise TreeUnfitError(f"it has layers of {', '.join(sorted(strange))}")
        transformers.AttentionInterface.register(ATTENTION, _attend)

    @property
    def pack_tokens(self) -> int:
        """The number of unique tokens that are worth scoring together."""
        return self._sizes.chunk

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Return the scores of the tokens `letters` after each prompt of each group. Raises TreeUnfitError."""
        return list(self.begin(groups, letters).take())

    def begin(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> Scoring:
        """Start what `score` does. A GPU may still be at work on return, so that more can be prepared meanwhile."""
        forest = side_by_side([build_tree(prompts) for prompts in groups])
        read, places = np.unique(forest.leaves, return_inverse=True)
        parts = np.split(places, np.cumsum([len(prompts) for prompts in groups])[:-1])
        rows = self._rows(forest, read, placed(np.array(letters), self._device))
        found = rows.to("cpu", non_blocking=rows.is_cuda)
        there = torch.cuda.current_stream(rows.device).record_event() if rows.is_cuda else None

        def take() -> list[LetterScores]:
            if there is not None:
                there.synchronize()
            scores = found.double().numpy()
            return [LetterScores(scores[part, :-1], scores[part, -1]) for part in parts]

        return Scoring(take, ready=there is None)

    def _rows(self, forest: PrefixTree, read: Any, letters: torch.Tensor) -> torch.Tensor:
        while True:
            try:
                return torch.cat(list(self._read(forest, read, letters)))
            except torch.OutOfMemoryError:
                if self._sizes.chunk <= self._sizes.run:
                    raise
                torch.cuda.empty_cache()
                self._sizes = replace(self._sizes, chunk=self._sizes.chunk // 2)

    def _read(self, forest: PrefixTree, read: Any, letters: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield the letters' logits and their mass for each chunk: (leaves in the chunk, letters + 1)."""
        state = _State(self._model.dtype)
        with _attention(self._model, state), torch.inference_mode():
            for chunk in cut(forest, self._sizes.chunk, self._sizes.run, self._sizes.together):
                state.enter(chunk)
                self._pass_state.restore()
                leaves = read[(read >= chunk.start) & (read < chunk.stop)] - chunk.start
                logits = self._model(
                    input_ids=placed(forest.tokens[chunk.start : chunk.stop], self._device)[None],
                    position_ids=placed(forest.depths[chunk.start : chunk.stop], self._device)[None],
                    use_cache=False,
                    logits_to_keep=placed(leaves, self._device),
                ).logits[0]
                state.leave()
                yield letter_scores(logits, letters)


class _Seen:
    """A block's keys and masks, on each device that holds layers of the model."""

    def __init__(self, block: Block, dtype: torch.dtype) -> None:
        self._block = block
        self._dtype = dtype
        self._keys: dict[torch.device, torch.Tensor] = {}
        self._masks: dict[tuple[int | None, torch.device], torch.Tensor] = {}
        self.runs, self.width = block.shape
        self.rows = slice(block.first, block.first + self.runs * self.width)

    def keys(self, device: torch.device) -> torch.Tensor:
        """Return the indices (runs * keys,) of the keys among the available tokens."""
        if device not in self._keys:
            self._keys[device] = placed(self._block.keys.reshape(-1), device)
        return self._keys[device]

    def mask(self, window: int | None, groups: int, device: torch.device) -> torch.Tensor:
        """Return the mask (runs, 1, groups * width, keys) to add to attention scores.

        It is 0 where a token sees a key, and -inf elsewhere.
        """
        if window is not None and window > self._block.distances.max():
            window = None
        if (window, device) not in self._masks:
            visible = self._block.visible
            if window is not None:
                visible = visible & (self._block.distances < window)
            seen = placed(visible, device)
            added = torch.zeros(seen.shape, dtype=self._dtype, device=device).masked_fill_(~seen, float("-inf"))
            self._masks[window, device] = added[:, None].repeat(1, 1, groups, 1)
        return self._masks[window, device]


class _State:
    """The attention function's data for the current chunk: what each token sees, and each layer's keys and values."""

    def __init__(self, dtype: torch.dtype) -> None:
        self._dtype = dtype
        self._kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._to_carry = np.empty(0, dtype=np.int64)
        self._carried: dict[torch.device, torch.Tensor] = {}
        self._layers: set[int] = set()
        self.seen: list[_Seen] = []

    def enter(self, chunk: Chunk) -> None:
        """Prepare for a chunk."""
        self.seen = [_Seen(block, self._dtype) for block in chunk.blocks]
        self._to_carry = chunk.carried
        self._carried.clear()
        self._layers.clear()

    def leave(self) -> None:
        """Check that the chunk did go through this attention."""
        if not self._layers:
            raise TreeUnfitError("its attention does not go through transformers' attention interface")

    def at_hand(self, layer: int, key: torch.Tensor, value: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a layer's keys and values (kept and own tokens, heads, dim), and keep what the next chunk needs."""
        if layer in self._layers:
            raise TreeUnfitError("a layer attends more than once")
        self._layers.add(layer)
        if layer in self._kept:
            before = self._kept[layer]
            key, value = torch.cat([before[0], key]), torch.cat([before[1], value])
        if key.device not in self._carried:
            self._carried[key.device] = placed(self._to_carry, key.device)
        carried = self._carried[key.device]
        self._kept[layer] = key.index_select(0, carried), value.index_select(0, carried)
        return key, value


_current: _State | None = None


@contextlib.contextmanager
def _attention(model: Any, state: _State) -> Iterator[None]:
    """Replace the model's attention function with `_attend`."""
    global _current
    before = model.config._attn_implementation
    model.set_attn_implementation(ATTENTION)
    _current = state
    try:
        yield
    finally:
        _current = None
        model.set_attn_implementation(before)


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **other: Any,
) -> tuple[torch.Tensor, None]:
    """Compute attention by transformers' interface: (1, heads, tokens, dim) to (1, tokens, heads, dim)."""
    unknown = [
        name for name, given in other.items() if given is not None and given is not False and name not in NEGLIGIBLE
    ]
    if _current is None or unknown:
        raise TreeUnfitError(f"its attention takes {', '.join(unknown)}")
    keys, values = _current.at_hand(id(module), key[0].transpose(0, 1), value[0].transpose(0, 1))
    _, heads, tokens, _ = query.shape
    key_heads = keys.shape[1]
    groups = heads // key_heads
    result = torch.empty((tokens, heads, value.shape[-1]), dtype=query.dtype, device=query.device)
    for seen in _current.seen:
        # Heads that share keys become additional rows of the same product: (runs, key heads, groups * width, dim).
        asked = query[0, :, seen.rows].view(key_heads, groups, seen.runs, seen.width, -1).permute(2, 0, 1, 3, 4)
        q = asked.reshape(seen.runs, key_heads, groups * seen.width, -1)
        k, v = (
            each.index_select(0, seen.keys(each.device)).view(seen.runs, -1, key_heads, each.shape[-1]).transpose(1, 2)
            for each in (keys, values)
        )
        mask = seen.mask(sliding_window, groups, query.device)
        found = _scaled_dot_product(q, k, v, mask, scaling, softcap)
        rows = found.view(seen.runs, key_heads, groups, seen.width, -1).permute(0, 3, 1, 2, 4)
        result[seen.rows].view(seen.runs, seen.width, key_heads, groups, -1).copy_(rows)
    return result[None], None


def _scaled_dot_product(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, added: torch.Tensor, scaling: float | None, cap: float | None
) -> torch.Tensor:
    if cap is None:
        return torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=added, scale=scaling)
    scores = torch.matmul(q, k.transpose(-1, -2)) * (scaling if scaling is not None else q.shape[-1] ** -0.5)
    scores = torch.tanh(scores / cap) * cap + added
    return torch.matmul(scores.float().softmax(dim=-1).to(v.dtype), v)
