"""Scores whole prompts in batches.

Used for models that cannot be scored as a prefix tree, and to check the tree of those that can.
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
    """Runs a causal language model over whole prompts and reads the letters' logits after each.

    The scorer finds out by trying which prompts can share a batch. It tries prompts of any length, padded on the left,
    then only prompts of the same length, and then each prompt alone.

    Args:
        model: The model.
        batch_tokens: The most tokens of one forward pass, padding included. The limit is halved permanently whenever a
            GPU runs out of memory.
        limit: The most tokens of a prompt that may share a batch with prompts of other lengths; None for no limit.
        state: The model's state as it was loaded.
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
        """The method in use: "plain", followed by which prompts share a batch if not all can."""
        return "plain" if self._together == "padded" else f"plain, {self._together}"

    @property
    def pack_tokens(self) -> int:
        """The number of unique tokens that are worth scoring together."""
        return self._batch_tokens

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Return the scores of the tokens `letters` after each prompt of each group. Equal prompts are run once."""
        sequences = list(dict.fromkeys(tuple(prompt) for prompts in groups for prompt in prompts))
        places = {sequence: place for place, sequence in enumerate(sequences)}
        rows = self._checked_rows(sequences, self._checked.sample(sequences), letters)
        orders = [[places[tuple(prompt)] for prompt in prompts] for prompts in groups]
        return [LetterScores(rows[order, :-1], rows[order, -1]) for order in orders]

    def alone(self, sequences: Sequence[Tokens], letters: Sequence[int]) -> Any:
        """Return the letters' logits followed by their mass, from one forward pass for each sequence.

        The array has the shape (sequences, letters + 1).
        """
        return np.concatenate([self._rows([sequence], letters) for sequence in sequences])

    def batches(self, sequences: Sequence[Tokens], more: int, most_tokens: int | None = None) -> list[list[int]]:
        """Return batches of sequences that may run together, as indices.

        What may run together is tested first if these lengths have not been tested yet.

        Args:
            sequences: The sequences.
            more: How many tokens will be added to each.
            most_tokens: The most tokens of a batch [default: those of a forward pass].
        """
        sample = self._checked.sample(sequences)
        if sample:
            self._checked_rows(sample, sample, ())
        return self._batches([len(sequence) + more for sequence in sequences], most_tokens or self._batch_tokens)

    def restore(self) -> None:
        """Reset what the model remembers from earlier passes."""
        self._state.restore()

    def _batches(self, lengths: Sequence[int], most_tokens: int) -> list[list[int]]:
        kinds = {
            "padded": [0 if self._limit is None or length <= self._limit else length for length in lengths],
            "of one length": lengths,
            "alone": range(len(lengths)),
        }
        return batches(lengths, most_tokens, kinds[self._together])

    def _checked_rows(self, sequences: Sequence[Tokens], sample: Sequence[Tokens], letters: Sequence[int]) -> Any:
        """Do what `_score_distinct` does, in batches that give each prompt of the sample the same logits as alone."""
        if not sample:
            return self._score_distinct(sequences, letters)
        # Add one that is as long as the shortest, so that batches of one length are tested with more than one prompt.
        other = tuple(max(sample, key=len)[: len(min(sample, key=len))])
        compared = list(dict.fromkeys([*map(tuple, sample), other]))
        alone = self.alone(compared, letters)
        # Use one batch even if `batch_tokens` would split it, since other prompts may get as much padding.
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
        """Return the letters' logits and their mass, or all logits if there are no letters."""
        logits = self._last_logits(sequences)
        scored = letter_scores(logits, torch.tensor(letters)) if letters else logits.float()
        return scored.double().cpu().numpy()

    def _last_logits(self, sequences: Sequence[Tokens]) -> torch.Tensor:
        """Return the logits (sequences, vocabulary) after each sequence."""
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
