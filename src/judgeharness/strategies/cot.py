"""The model writes its reasons first, and is then asked for a letter, which is scored.

After Kojima et al., "Large Language Models are Zero-Shot Reasoners" (NeurIPS 2022): a prompt for reasons, then one for
the answer.
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
    """option_orders: as of the other strategies, here `cyclic` unless given. reasoning_tokens: the longest reasons."""

    option_orders: OptionOrders = "cyclic"
    reasoning_tokens: Annotated[int, Field(ge=1)] = 256


@dataclass(frozen=True, slots=True)
class ChainOfThought:
    """Reasons under each order of the options, and the scores of the letters after them."""

    asked: OrderedSelections
    options: CotOptions
    ends_in: ClassVar[Literal["scores", "reading"]] = "scores"

    def check(self, task: Task) -> None:
        """Raises InputError as the selections do."""
        self.asked.check(task)

    def group(self, item: Item, task: Task) -> PromptGroup:
        """The prompts that ask for reasons."""
        options = self.options
        decoding = Decoding(options.reasoning_tokens, options.writing_temperature, options.seed)
        return replace(self.asked.group(item, task, INSTRUCTION), decoding=decoding)

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> PromptGroup:
        """The prompts that ask for the letter, each after its reasons."""
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
    """From the options."""
    return ChainOfThought(OrderedSelections(options.k, options.explicit, options.option_orders), options)
