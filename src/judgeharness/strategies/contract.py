"""What a strategy is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from judgeharness.domain.nouns import GeneratedTexts, Item, PromptGroup, Reading
from judgeharness.tasks.task import Task


@runtime_checkable
class Strategy(Protocol):
    """Turns an item into the prompts that are asked of it. Pure: the same item gives the same prompts."""

    def check(self, task: Task) -> None:
        """Raises InputError where the task cannot be asked in this way. Called before any model is loaded."""

    def group(self, item: Item, task: Task) -> PromptGroup:
        """The item's prompts, or the first of them: those that the model answers before `follow` is called."""


@runtime_checkable
class WritingStrategy(Strategy, Protocol):
    """A strategy whose prompts are answered in writing, at least at first: `group` has a `decoding`.

    ends_in: "scores" where the last group is scored, and "reading" where the texts themselves say the distribution.
    """

    ends_in: Literal["scores", "reading"]

    def follow(self, item: Item, task: Task, written: Sequence[GeneratedTexts]) -> PromptGroup | Reading:
        """What comes after the texts so far, one `GeneratedTexts` for each group that was asked.

        Another group to be answered, or what the texts say. Pure too: it is called again whenever the texts are read.
        """
