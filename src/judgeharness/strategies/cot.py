"""The model generates its reasons first, and then the letters are scored.

After Kojima et al., "Large Language Models are Zero-Shot Reasoners" (NeurIPS 2022): one prompt asks for reasons, the
next for the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from judgeharness.domain.nouns import LETTERS, Decoding, GeneratedTexts, Item, Message, Prompt, PromptGroup
from judgeharness.strategies.options import OptionOrders, WritingOptions
from judgeharness.strategies.selections import OrderedSelections
from judgeharness.tasks.task import Task

INSTRUCTION = (
    "Let's think step by step: give reasons for and against each option, briefly. Do not choose an option yet."
)
NO_REASONS = "..."


class CotOptions(WritingOptions):
    """Options of `cot`.

    Attributes:
        option_orders: As in other strategies, but `cyclic` by default.
        reasoning_tokens: The largest number of tokens that the reasons may have.
    """

    option_orders: OptionOrders = "cyclic"
    reasoning_tokens: Annotated[int, Field(ge=1)] = 256


@dataclass(frozen=True, slots=True)
class ChainOfThought:
    """Asks for reasons under each order of the options, and then scores the letters."""

    asked: OrderedSelections
    options: CotOptions
    ends_in: ClassVar[Literal["scores", "reading"]] = "scores"

    def check(self, task: Task) -> None:
        """Raise InputError as `OrderedSelections.check` does."""
        self.asked.check(task)

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the prompts that ask for reasons."""
        options = self.options
        decoding = Decoding(options.reasoning_tokens, options.writing_temperature, options.seed)
        return replace(self.asked.group(item, task, INSTRUCTION), decoding=decoding)

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> PromptGroup:
        """Return the prompts that ask for the letter, each after its reasons."""
        asked = self.group(item, task).prompts
        return PromptGroup(
            item.uid, tuple(_then(prompt, text) for prompt, text in zip(asked, written[0].texts, strict=True))
        )


def _then(prompt: Prompt, reasons: str) -> Prompt:
    letters = LETTERS[: len(prompt.options)]
    question = f"So which option is right? Answer with a single letter: {', '.join(letters[:-1])} or {letters[-1]}."
    turns = (Message("assistant", reasons.strip() or NO_REASONS), Message("user", question))
    return replace(prompt, messages=(*prompt.messages, *turns))


def cot(options: CotOptions) -> ChainOfThought:
    """Make the strategy from its options."""
    return ChainOfThought(OrderedSelections(options.k, options.explicit, options.option_orders), options)
