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
    """option_orders: as of the other strategies. answer_tokens: the longest answer; by the options unless given."""

    option_orders: OptionOrders = "all"
    answer_tokens: Annotated[int, Field(ge=1)] | None = None


@dataclass(frozen=True, slots=True)
class Verbalized:
    """Every order of the options; the mean over the answers that could be read."""

    asked: OrderedSelections
    options: VerbalizedOptions
    ends_in: ClassVar[Literal["scores", "reading"]] = "reading"

    def check(self, task: Task) -> None:
        """Raises InputError as the selections do."""
        self.asked.check(task)

    def group(self, item: Item, task: Task) -> PromptGroup:
        """The prompts, with the form in which percentages are to be stated."""
        asked = self.asked.group(item, task, instruction(len(task.labels)))
        tokens = self.options.answer_tokens or TOKENS_A_LINE * (len(task.labels) + 1)
        return replace(asked, decoding=Decoding(tokens, self.options.writing_temperature, self.options.seed))

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> Reading:
        """The percentages that the texts state."""
        rows = np.zeros((len(written[0].texts), len(task.labels)))
        letters = LETTERS[: len(task.labels)]
        for row, prompt, text in zip(rows, self.group(item, task).prompts, written[0].texts, strict=True):
            stated = read_percentages(text, letters)
            if stated is not None:
                row[list(prompt.options)] = stated
        return Reading(rows)


def instruction(n_options: int) -> str:
    """What is asked for, in place of a letter."""
    form = "\n".join(f"{letter}: ...%" for letter in LETTERS[:n_options])
    return (
        "People may answer this question differently. Out of 100 people, how many would choose each option? Write one "
        f"line for each option and nothing else, in this form, with percentages that sum to 100:\n{form}"
    )


def verbalized(options: VerbalizedOptions) -> Verbalized:
    """From the options."""
    return Verbalized(OrderedSelections(options.k, options.explicit, options.option_orders), options)
