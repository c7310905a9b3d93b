"""The contract of strategies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from judgeharness.domain.nouns import GeneratedTexts, Item, PromptGroup, Reading
from judgeharness.tasks.task import Task


@runtime_checkable
class Strategy(Protocol):
    """Turns an item into prompts. It must be pure: the same item always gives the same prompts."""

    def check(self, task: Task) -> None:
        """Raise InputError if the task cannot be asked in this way. Called before any model is loaded."""

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the item's prompts.

        A `WritingStrategy` returns those that the model answers before `follow` is called.
        """


@runtime_checkable
class WritingStrategy(Strategy, Protocol):
    """A strategy whose prompts are answered with generated text, at least at first: `group` has a `decoding`.

    Attributes:
        ends_in: "scores" if the last group is scored, "reading" if the texts themselves state the distribution.
    """

    ends_in: Literal["scores", "reading"]

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> PromptGroup | Reading:
        """Return what follows the texts so far: another group to answer, or what the texts say.

        It must be pure, because it is called again whenever the texts are read.

        Args:
            item: The item.
            task: The item's task.
            written: The texts, one `GeneratedTexts` for each group that was asked.
        """
