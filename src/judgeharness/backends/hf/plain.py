"""Scoring whole prompts in padded batches.

For models that cannot follow a prefix tree, and to check the tree of those that can.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from judgeharness.backends.hf.batches import batches, padded
from judgeharness.backends.hf.scores import letter_scores, tolerance
from judgeharness.backends.letters import LetterScores
from judgeharness.prefixes import Tokens

BATCH_TOKENS = {"cpu": 4_096, "mps": 16_384, "cuda": 65_536}


class PlainScorer:
    """Runs a causal language model over whole prompts and reads the letters at the position after each.

    batch_tokens: of one forward pass, padding included; halved for good where memory runs out on a GPU.
    """

    name = "plain"

    def __init__(self, model: Any, batch_tokens: int | None = None) -> None:
        self._model = model
        self._device = model.get_input_embeddings().weight.device
        self._batch_tokens = batch_tokens or BATCH_TOKENS.get(self._device.type, BATCH_TOKENS["cpu"])
        accepted = inspect.signature(model.forward).parameters
        self._keeps_last = "logits_to_keep" in accepted
        self._takes_positions = "position_ids" in accepted
        self._padding_is_exact: bool | None = None

    @property
    def pack_tokens(self) -> int:
        """Unique tokens that are worth scoring together."""
        return self._batch_tokens

    def score(self, groups: Sequence[Sequence[Tokens]], letters: Sequence[int]) -> list[LetterScores]:
        """Scores of the tokens `letters` after each prompt of each group; each distinct prompt is run once."""
        distinct = {tuple(prompt): None for prompts in groups for prompt in prompts}
        sequences = list(distinct)
        places = {sequence: place for place, sequence in enumerate(sequences)}
        rows = self._score_distinct(sequences, letters)
        orders = [[places[tuple(prompt)] for prompt in prompts] for prompts in groups]
        return [LetterScores(rows[order, :-1], rows[order, -1]) for order in orders]

    def _score_distinct(self, sequences: Sequence[Tokens], letters: Sequence[int]) -> Any:
        rows = np.empty((len(sequences), len(letters) + 1))
        lengths = [len(sequence) for sequence in sequences]
        exact = self.padding_is_exact(sequences)
        pending = batches(lengths, self._batch_tokens, same_length=not exact)
        while pending:
            batch = pending.pop()
            try:
                scored = letter_scores(self._last_logits([sequences[index] for index in batch]), torch.tensor(letters))
            except torch.OutOfMemoryError:
                if len(batch) == 1:
                    raise
                torch.cuda.empty_cache()
                self._batch_tokens = max(1, self._batch_tokens // 2)
                pending += [batch[: len(batch) // 2], batch[len(batch) // 2 :]]
                continue
            rows[batch] = scored.double().cpu().numpy()
        return rows

    def _last_logits(self, sequences: Sequence[Tokens]) -> torch.Tensor:
        """Logits (sequences, vocabulary) after each sequence."""
        tokens, mask = padded(sequences, self._device)
        inputs: dict[str, Any] = {"input_ids": tokens, "attention_mask": mask, "use_cache": False}
        if self._takes_positions:
            inputs["position_ids"] = (mask.cumsum(1) - 1).clamp(min=0)
        if self._keeps_last:
            inputs["logits_to_keep"] = 1
        with torch.inference_mode():
            last: torch.Tensor = self._model(**inputs).logits[:, -1]
        return last

    def padding_is_exact(self, sequences: Sequence[Tokens]) -> bool:
        """Whether padding leaves scores alone: tried once, on the first sequences of different lengths."""
        if self._padding_is_exact is None and len({len(sequence) for sequence in sequences}) > 1:
            self._padding_is_exact = self._check_padding(sequences)
        return self._padding_is_exact is not False

    def _check_padding(self, sequences: Sequence[Tokens]) -> bool:
        """Whether padding leaves the scores alone: recurrent models, for one, let it seep in."""
        shortest, longest = min(sequences, key=len), max(sequences, key=len)
        together = self._last_logits([shortest, longest])[0].float()
        alone = self._last_logits([shortest])[0].float()
        return bool((together - alone).abs().max() <= tolerance(self._model.dtype))
