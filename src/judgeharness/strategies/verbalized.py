"""The model states the percentages itself.

After Tian et al., "Just Ask for Calibration" (EMNLP 2023), and, for distributions of people, Meister et al.,
"Benchmarking Distributional Alignment of Large Language Models" (NAACL 2025).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from judgeharness.domain.nouns import LETTERS, Decoding, GeneratedTexts, Item, PromptGroup, Reading
from judgeharness.strategies.options import OptionOrders, WritingOptions
from judgeharness.strategies.reading import read_percentages
from judgeharness.strategies.selections import OrderedSelections
from judgeharness.tasks.task import Task

TOKENS_A_LINE = 16


class VerbalizedOptions(WritingOptions):
    """Options of `verbalized`.

    Attributes:
        option_orders: Which orders of the options are asked.
        answer_tokens: The largest number of tokens of an answer; None to derive it from the number of options.
    """

    option_orders: OptionOrders = "all"
    answer_tokens: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class Verbalized:
    """Asks under every order of the options. The result is the mean over the answers that could be read."""

    asked: OrderedSelections
    options: VerbalizedOptions
    ends_in: ClassVar[Literal["scores", "reading"]] = "reading"

    def check(self, task: Task) -> None:
        """Raise InputError as `OrderedSelections.check` does."""
        self.asked.check(task)

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the prompts, which say in what form to state percentages."""
        asked = self.asked.group(item, task, instruction(len(task.labels)))
        tokens = self.options.answer_tokens or TOKENS_A_LINE * (len(task.labels) + 1)
        return replace(asked, decoding=Decoding(tokens, self.options.writing_temperature, self.options.seed))

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> Reading:
        """Return the percentages that the texts state."""
        rows = np.zeros((len(written[0].texts), len(task.labels)))
        letters = LETTERS[: len(task.labels)]
        for row, prompt, text in zip(rows, self.group(item, task).prompts, written[0].texts, strict=True):
            stated = read_percentages(text, letters)
            if stated is not None:
                row[list(prompt.options)] = stated
        return Reading(rows)


def instruction(n_options: int) -> str:
    """Return the instruction that replaces the one for answering with a letter."""
    form = "\n".join(f"{letter}: ...%" for letter in LETTERS[:n_options])
    return (
        "People may answer this question differently. Out of 100 people, how many would choose each option? Write one "
        f"line for each option and nothing else, in this form, with percentages that sum to 100:\n{form}"
    )


def verbalized(options: VerbalizedOptions) -> Verbalized:
    """Make the strategy from its options."""
    return Verbalized(OrderedSelections(options.k, options.explicit, options.option_orders), options)
