"""Generates answers in a llama.cpp context: prompts as a prefix tree, then many texts in parallel, token by token."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from judgeharness.backends.llamacpp.decodes import kept, one_token_each
from judgeharness.backends.llamacpp.library import LlamaContext, LlamaModel, most_sequences
from judgeharness.backends.local.generating import Start, Written
from judgeharness.backends.local.prefix_tree import build_tree
from judgeharness.backends.local.sampling import Drawer

TOGETHER = 16
CACHED_TOKENS = 32_768


@dataclass(slots=True)
class _Text:
    """A text that is being generated: its sequence in the context, and the tokens so far."""

    sequence: int
    start: Start
    drawer: Drawer
    tokens: list[int] = field(default_factory=list)
    ended: bool = False

    def take(self, logits: npt.NDArray[np.float32], model: LlamaModel) -> None:
        """Sample the next token, and add it unless it ends the text."""
        token = self.drawer.draw(logits)
        self.ended = model.ends(token)
        if not self.ended:
            self.tokens.append(token)

    @property
    def done(self) -> bool:
        """Whether the text is complete."""
        return self.ended or len(self.tokens) >= self.start.decoding.max_tokens

    @property
    def place(self) -> int:
        """The position of the last sampled token."""
        return len(self.start.tokens) + len(self.tokens) - 1


class LlamaWriter:
    """Continues prompts. Each batch of texts gets its own context of the size that it needs."""

    def __init__(self, model: LlamaModel, batch_tokens: int, threads: int) -> None:
        self._model = model
        self._batch = batch_tokens
        self._threads = threads
        self._limit = model.position_limit
        # Models that keep more than keys and values cannot share the beginnings of prompts.
        self.together = 1 if model.is_recurrent else min(TOGETHER, most_sequences(), batch_tokens)

    def write(self, starts: Sequence[Start]) -> list[Written]:
        """Generate a text for each start. All starts have the same limit and temperature."""
        found: dict[int, Written] = {}
        for part in self._parts(starts):
            texts = self._texts([starts[index] for index in part])
            found |= {index: self._finished(text) for index, text in zip(part, texts, strict=True)}
        return [found[index] for index in range(len(starts))]

    def _finished(self, text: _Text) -> Written:
        return Written(self._model.text(text.tokens), not text.ended)

    def _parts(self, starts: Sequence[Start]) -> Iterator[list[int]]:
        """Yield the indices of starts in parts that fit into the cache, with similar beginnings together.

        If the size of a context matters to the model, texts that fit into a small context do not get a large one.
        """
        part: list[int] = []
        size = 0
        most = min(CACHED_TOKENS, self._limit or CACHED_TOKENS)
        for index in sorted(range(len(starts)), key=lambda index: starts[index].tokens):
            needed = len(starts[index].tokens) + starts[index].decoding.max_tokens
            if part and (len(part) == self.together or size + needed > most):
                yield part
                part, size = [], 0
            part.append(index)
            size += needed
        if part:
            yield part

    def _texts(self, starts: Sequence[Start]) -> list[_Text]:
        """Generate the texts in parallel. The starts are sorted by their tokens."""
        texts = [_Text(sequence, each, Drawer(each.decoding, each.index)) for sequence, each in enumerate(starts)]
        size = sum(len(each.tokens) + each.decoding.max_tokens for each in starts)
        if self._limit is None or size > self._limit:
            size += self._batch
        context = LlamaContext(self._model, size, self._batch, len(starts), self._threads)
        try:
            self._begin(context, texts)
            while live := [text for text in texts if not text.done]:
                self._go_on(context, live)
        finally:
            context.close()
        return texts

    def _begin(self, context: LlamaContext, texts: Sequence[_Text]) -> None:
        tree = build_tree([text.start.tokens for text in texts])
        leaves, counts = np.unique(tree.leaves, return_counts=True)
        rows = np.concatenate([context.decode(step) for step in kept(tree, leaves, counts, self._batch)])
        for text, leaf in zip(texts, np.searchsorted(leaves, tree.leaves).tolist(), strict=True):
            text.take(rows[leaf], self._model)

    def _go_on(self, context: LlamaContext, texts: Sequence[_Text]) -> None:
        for first in range(0, len(texts), self._batch):
            part = texts[first : first + self._batch]
            step = one_token_each([(text.tokens[-1], text.place, text.sequence) for text in part])
            for text, logits in zip(part, context.decode(step), strict=True):
                text.take(logits, self._model)
