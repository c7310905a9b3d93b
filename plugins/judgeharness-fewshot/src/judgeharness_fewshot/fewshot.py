"""A conversation in which other items were asked and answered before."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

from pydantic import Field

from judgeharness.plugin import (
    LETTERS,
    InputError,
    Item,
    Message,
    OrderOptions,
    Prompt,
    PromptGroup,
    Task,
    option_orders,
)


class FewShotOptions(OrderOptions):
    """shots: how many items come first. choose: those on which people agree most, or any, drawn with the seed."""

    shots: Annotated[int, Field(ge=1, le=100)] = 3
    choose: Literal["sure", "any"] = "sure"
    seed: int = 0


class FewShot:
    """Every order of the options; the exemplars' options stand in the same order as the item's."""

    def __init__(self, options: FewShotOptions) -> None:
        self._options = options

    def check(self, task: Task) -> None:
        """Raises InputError where there are too few other items."""
        if len(task.items) <= self._options.shots:
            raise InputError(
                f"few-shot takes {self._options.shots} other items, and {task.name} has {len(task.items)} in all",
                "use -o shots=N with a smaller N, or a larger --limit",
            )

    def group(self, item: Item, task: Task) -> PromptGroup:
        """A prompt for each order of the options."""
        shots = self._exemplars(item, task)
        orders = option_orders(len(task.labels), self._options.option_orders)
        return PromptGroup(item.uid, tuple(_prompt(item, shots, task, order) for order in orders))

    def _exemplars(self, item: Item, task: Task) -> list[Item]:
        others = [each for each in task.items if each.uid != item.uid]
        if self._options.choose == "sure":
            return sorted(others, key=lambda each: (-max(each.human), each.uid))[: self._options.shots]
        return sorted(others, key=lambda each: self._draw(item, each))[: self._options.shots]

    def _draw(self, item: Item, other: Item) -> bytes:
        """A place in an order that depends on the seed and both items alone."""
        return hashlib.sha256(f"{self._options.seed}\0{item.uid}\0{other.uid}".encode()).digest()


def _prompt(item: Item, shots: list[Item], task: Task, order: tuple[int, ...]) -> Prompt:
    turns: list[Message] = []
    for shot in shots:
        answer = LETTERS[order.index(shot.human.index(max(shot.human)))]
        turns += [*task.template.render(shot, task.labels, order), Message("assistant", answer)]
    return Prompt((*turns, *task.template.render(item, task.labels, order)), order)
