"""What a strategy is."""

from __future__ import annotations

from typing import Protocol

from judgeharness.domain import Item, PromptGroup
from judgeharness.tasks.task import Task


class Strategy(Protocol):
    """Turns an item into the prompts that are asked of it. Pure: the same item gives the same prompts."""

    def check(self, task: Task) -> None:
        """Raises InputError where the task cannot be asked in this way. Called before any model is loaded."""

    def group(self, item: Item, task: Task) -> PromptGroup:
        """The item's prompts."""
