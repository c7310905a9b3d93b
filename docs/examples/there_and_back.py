"""A strategy: two prompts for each item, with the options in label order and in reverse."""

from __future__ import annotations

from judgeharness.plugin import Item, Options, Prompt, PromptGroup, StrategySpec, Task, hookimpl


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """Return the strategies of this plugin."""
    return [
        StrategySpec(
            name="there-and-back",
            summary="no explanations; the options in label order and in reverse",
            target=f"{__name__}:ThereAndBack",
        )
    ]


class ThereAndBack:
    """Makes the prompts of an item. The same item always gets the same prompts."""

    def __init__(self, options: Options) -> None:
        pass

    def check(self, task: Task) -> None:
        """Raise InputError if the strategy does not suit the task. This one suits every task."""

    def group(self, item: Item, task: Task) -> PromptGroup:
        """Return the prompts of an item."""
        order = tuple(range(len(task.labels)))
        return PromptGroup(item.uid, (_prompt(item, task, order), _prompt(item, task, order[::-1])))


def _prompt(item: Item, task: Task, order: tuple[int, ...]) -> Prompt:
    return Prompt(task.template.render(item, task.labels, order), order)
