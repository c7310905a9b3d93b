"""A strategy that generates text: the letter that an answer starts with gets the probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from judgeharness.plugin import (
    LETTERS,
    Decoding,
    GeneratedTexts,
    Item,
    Options,
    Prompt,
    PromptGroup,
    Reading,
    StrategySpec,
    Task,
    hookimpl,
    option_orders,
)


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """Return the strategies of this plugin."""
    return [
        StrategySpec(
            name="generated-letter",
            summary="no explanations; the model generates a letter",
            target=f"{__name__}:GeneratedLetter",
        )
    ]


class GeneratedLetter:
    """Asks about the cyclic orders of the options, and reads the letters."""

    ends_in: Literal["scores", "reading"] = "reading"

    def __init__(self, options: Options) -> None:
        pass

    def check(self, task: Task) -> None:
        """Raise InputError if the strategy does not suit the task. This one suits every task."""

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the prompts of an item. The decoding says that each answer has at most 2 tokens."""
        orders = option_orders(len(task.labels), "cyclic")
        prompts = tuple(Prompt(task.template.render(item, task.labels, order), order) for order in orders)
        return PromptGroup(item.uid, prompts, Decoding(max_tokens=2))

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> Reading:
        """Return a row for each text. A row of zeros means that the text could not be read."""
        rows = np.zeros((len(written[-1].texts), len(task.labels)))
        for row, text, order in zip(rows, written[-1].texts, option_orders(len(task.labels), "cyclic"), strict=True):
            letter = text.strip()[:1]
            if letter and letter in LETTERS[: len(order)]:
                row[order[LETTERS.index(letter)]] = 1
        return Reading(rows)
