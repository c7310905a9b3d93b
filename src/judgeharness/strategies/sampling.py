"""The model answers many times, and the answers are counted.

This is the Monte Carlo estimation of Lee, An and Thorne, "Can Large Language Models Capture Dissenting Human Voices?"
(EMNLP 2023), with another order of the options each time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import LETTERS, Decoding, GeneratedTexts, Item, Prompt, PromptGroup, Reading
from judgeharness.strategies.options import ShownOptions
from judgeharness.strategies.reading import read_choice
from judgeharness.strategies.selections import require_explanations
from judgeharness.tasks.task import Task


class SamplingOptions(ShownOptions):
    """Options of `sampling`.

    Attributes:
        n: How many answers to draw for each item.
        sampling_temperature: The temperature at which tokens are drawn.
        seed: The seed of the orders and the draws.
        answer_tokens: The largest number of tokens of an answer. The letter is expected at its start.
    """

    n: Annotated[int, Field(ge=1, le=10_000)] = 20
    sampling_temperature: Annotated[float, Field(gt=0, le=10, allow_inf_nan=False)] = 1.0
    seed: Annotated[int, Field(ge=0, lt=1 << 31)] = 0
    answer_tokens: Annotated[int, Field(ge=1)] = 8


@dataclass(frozen=True, slots=True)
class Sampling:
    """Asks N prompts, with options and explanations in random order, and counts each label's share of the answers."""

    options: SamplingOptions
    ends_in: ClassVar[Literal["scores", "reading"]] = "reading"

    def check(self, task: Task) -> None:
        """Raise InputError if items have fewer than k explanations."""
        require_explanations(task, self.options.k)

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the prompts. Their orders depend only on the seed and the item's uid."""
        seed = int(digest([self.options.seed, item.uid])[:8], 16) >> 1
        stream = np.random.default_rng(seed)
        prompts = tuple(self._prompt(item, task, stream) for _ in range(self.options.n))
        return PromptGroup(
            item.uid, prompts, Decoding(self.options.answer_tokens, self.options.sampling_temperature, seed)
        )

    def _prompt(self, item: Item, task: Task, stream: np.random.Generator) -> Prompt:
        orders = tuple(stream.permutation(len(task.labels)).tolist())
        chosen = tuple(stream.permutation(len(item.explanations))[: self.options.k].tolist())
        shown = [item.explanations[index] for index in chosen]
        return Prompt(task.template.render(item, task.labels, orders, shown, self.options.explicit), orders, chosen)

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> Reading:
        """Return a row for each answer, with 1 for the label that it chooses."""
        rows = np.zeros((len(written[0].texts), len(task.labels)))
        for row, prompt, text in zip(rows, self.group(item, task).prompts, written[0].texts, strict=True):
            letters = {letter: task.labels[label].text for letter, label in zip(LETTERS, prompt.options, strict=False)}
            chosen = read_choice(text, letters)
            if chosen is not None:
                row[prompt.options[LETTERS.index(chosen)]] = 1
        return Reading(rows)
