"""Generates answers, many texts side by side, with transformers' own generation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
import transformers

from judgeharness.backends.hf.batches import padded
from judgeharness.backends.hf.plain import PlainScorer
from judgeharness.backends.local.generating import Start, Written
from judgeharness.backends.local.sampling import Drawer

TOGETHER = {"cpu": 32, "mps": 64, "cuda": 256}
CACHED_TOKENS = {"cpu": 32_768, "mps": 65_536, "cuda": 262_144}


class TextWriter:
    """Continues prompts.

    Args:
        model: The model.
        plain: Knows which prompts may run together in this model.
        stops: The tokens that end an answer.
        text: Decodes tokens, without special ones.

    Attributes:
        together: How many texts are worth generating together.
    """

    def __init__(
        self, model: Any, plain: PlainScorer, stops: Sequence[int], text: Callable[[Sequence[int]], str]
    ) -> None:
        self._model = model
        self._plain = plain
        self._stops = list(stops)
        self._text = text
        self._device = model.get_input_embeddings().weight.device
        self._most_tokens = CACHED_TOKENS.get(self._device.type, CACHED_TOKENS["cpu"])
        self.together = TOGETHER.get(self._device.type, TOGETHER["cpu"])

    def write(self, starts: Sequence[Start]) -> list[Written]:
        """Generate a text for each start. All starts have the same limit and temperature.

        If a GPU runs out of memory, the batch is split in half.
        """
        limit = starts[0].decoding.max_tokens
        pending = [
            part[place : place + self.together]
            for part in self._plain.batches([start.tokens for start in starts], limit, self._most_tokens)
            for place in range(0, len(part), self.together)
        ]
        found: dict[int, Written] = {}
        while pending:
            part = pending.pop()
            try:
                written = self._continued([starts[index] for index in part], limit)
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                torch.cuda.empty_cache()
                pending += [part[: len(part) // 2], part[len(part) // 2 :]]
                continue
            found |= dict(zip(part, map(self._ended, written), strict=True))
        return [found[index] for index in range(len(starts))]

    def _continued(self, starts: Sequence[Start], limit: int) -> list[list[int]]:
        tokens, mask = padded([start.tokens for start in starts], self._device)
        drawn = starts[0].decoding.temperature > 0
        # Set every field that changes the text: the model's own defaults would change the judge.
        form = transformers.GenerationConfig(
            max_new_tokens=limit,
            do_sample=False,
            num_beams=1,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            eos_token_id=self._stops or None,
            pad_token_id=self._stops[0] if self._stops else 0,
        )
        chosen = transformers.LogitsProcessorList([_Drawn(starts)] if drawn else [])
        self._plain.restore()
        with torch.inference_mode():
            found = self._model.generate(
                input_ids=tokens, attention_mask=mask, generation_config=form, logits_processor=chosen
            )
        rows: list[list[int]] = found[:, tokens.shape[1] :].tolist()
        return rows

    def _ended(self, tokens: Sequence[int]) -> Written:
        ends = [place for place, token in enumerate(tokens) if token in self._stops]
        return Written(self._text(tokens[: ends[0]] if ends else tokens), not ends)


class _Drawn(transformers.LogitsProcessor):
    """Samples each row's next token from the row's own stream, and excludes all others."""

    def __init__(self, starts: Sequence[Start]) -> None:
        self._drawers = [Drawer(start.decoding, start.index) for start in starts]

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        rows = scores.float().cpu().numpy()
        tokens = [drawer.draw(row) for drawer, row in zip(self._drawers, rows, strict=True)]
        only = torch.full_like(scores, float("-inf"))
        only[torch.arange(len(tokens)), torch.tensor(tokens)] = 0
        return only
