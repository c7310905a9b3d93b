"""Scoring whole prompts in batches.

For models that cannot follow a prefix tree, and to check the tree of those that can.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import torch

from judgeharness.backends.checks import CheckedLengths
from judgeharness.backends.hf.batches import batches, padded
from judgeharness.backends.hf.scores import letter_scores, tolerance
from judgeharness.backends.hf.state import PassState
from judgeharness.backends.letters import LetterScores
from judgeharness.backends.local.prefix_tree import Tokens

BATCH_TOKENS = {"cpu": 4_096, "mps": 16_384, "cuda": 65_536}
Together = Literal["padded", "of one length", "alone"]
NARROWER: dict[Together, Together] = {"padded": "of one length", "of one length": "alone"}


class PlainScorer:
    """Runs a causal language model over whole prompts and reads the letters at the position after each.

    batch_tokens: of one forward pass, padding included; halved for good where memory runs out on a GPU. limit: the most
    tokens of a prompt that goes through together with prompts of other lengths; None for no limit. Which prompts go
    through together is tried: padded on the left, only those of one length, or each alone.
    """

    def __init__(
        self, model: Any, batch_tokens: int | None = None, limit: int | None = None, state: PassState | None = None
    ) -> None:
        self._model = model
        self._limit = limit
        self._state = state or PassState(model)
        self._device = model.get_input_embeddings().weight.device
        self._batch_tokens = batch_tokens or BATCH_TOKENS.get(self._device.type, BATCH_TOKENS["cpu"])
        accepted = inspect.signature(model.forward).parameters
        self._keeps_last = "logits_to_keep" in accepted
        self._takes_positions = "position_ids" in accepted
        self._together: Together = "padded"
        self._checked = CheckedLengths()

    @property
    def name(self) -> str:
        """How prompts go through: "plain", or with which others."""
        return "plain" if self._together == "padded" else f"plain, {self._together}"

    @property
    def pack_tokens(self) -> int:
        """Unique tokens that are worth scoring together."""
        return self._batch_tokens

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Scores of the tokens `letters` after each prompt of each group; each distinct prompt is run once."""
        sequences = list(dict.fromkeys(tuple(prompt) for prompts in groups for prompt in prompts))
        places = {sequence: place for place, sequence in enumerate(sequences)}
        rows = self._checked_rows(sequences, self._checked.sample(sequences), letters)
        orders = [[places[tuple(prompt)] for prompt in prompts] for prompts in groups]
        return [LetterScores(rows[order, :-1], rows[order, -1]) for order in orders]

    def alone(self, sequences: Sequence[Tokens], letters: Sequence[int]) -> Any:
        """The letters' logits and, last, their mass, (sequences, letters + 1): each from a forward pass of its own."""
        return np.concatenate([self._rows([sequence], letters) for sequence in sequences])

    def batches(self, sequences: Sequence[Tokens], more: int, most_tokens: int | None = None) -> list[list[int]]:
        """Indices of sequences that may go through together. more: tokens that each is continued by.

        Finds out first, where that is not known yet, which may.
        """
        sample = self._checked.sample(sequences)
        if sample:
            self._checked_rows(sample, sample, ())
        return self._batches([len(sequence) + more for sequence in sequences], most_tokens or self._batch_tokens)

    def restore(self) -> None:
        """Have the model forget what went through it."""
        self._state.restore()

    def _batches(self, lengths: Sequence[int], most_tokens: int) -> list[list[int]]:
        kinds = {
            "padded": [0 if self._limit is None or length <= self._limit else length for length in lengths],
            "of one length": lengths,
            "alone": range(len(lengths)),
        }
        return batches(lengths, most_tokens, kinds[self._together])

    def _checked_rows(self, sequences: Sequence[Tokens], sample: Sequence[Tokens], letters: Sequence[int]) -> Any:
        """As `_score_distinct`, by a way that gives the sample what each of its prompts gets alone."""
        if not sample:
            return self._score_distinct(sequences, letters)
        # Besides the sample, one that is as long as the shortest, so that a batch of one length has several.
        other = tuple(max(sample, key=len)[: len(min(sample, key=len))])
        compared = list(dict.fromkeys([*map(tuple, sample), other]))
        alone = self.alone(compared, letters)
        # In one batch, also where `batch_tokens` would part them: others may be padded as much.
        room = len(compared) * max(map(len, compared))
        while self._together in NARROWER:
            difference = np.abs(self._score_distinct(compared, letters, room) - alone).max()
            if difference <= tolerance(self._model.dtype):
                break
            self._together = NARROWER[self._together]
        return self._score_distinct(sequences, letters)

    def _score_distinct(self, sequences: Sequence[Tokens], letters: Sequence[int], room: int | None = None) -> Any:
        rows: dict[int, Any] = {}
        pending = self._batches([len(sequence) for sequence in sequences], room or self._batch_tokens)
        while pending:
            batch = pending.pop()
            try:
                rows |= dict(zip(batch, self._rows([sequences[index] for index in batch], letters), strict=True))
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                torch.cuda.empty_cache()
                self._batch_tokens = max(1, self._batch_tokens // 2)
                pending += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
        return np.stack([rows[index] for index in range(len(sequences))])

    def _rows(self, sequences: Sequence[Tokens], letters: Sequence[int]) -> Any:
        """The letters' logits and their mass; without letters, all logits."""
        logits = self._last_logits(sequences)
        scored = letter_scores(logits, torch.tensor(letters)) if letters else logits.float()
        return scored.double().cpu().numpy()

    def _last_logits(self, sequences: Sequence[Tokens]) -> torch.Tensor:
        """Logits (sequences, vocabulary) after each sequence."""
        tokens, mask = padded(sequences, self._device)
        inputs: dict[str, Any] = {"input_ids": tokens, "attention_mask": mask, "use_cache": False}
        if self._takes_positions:
            inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
        if self._keeps_last:
            inputs["logits_to_keep"] = 1
        self.restore()
        with torch.inference_mode():
            last: torch.Tensor = self._model(**inputs).logits[:, -1]
        return last
