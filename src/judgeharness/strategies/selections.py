"""Ask every order of the options with every ordered selection of k of an item's E explanations.

The strategies of the paper are special cases: k = 0 (no-explanation), k = 1 (parallel) and k = E (serial). The last two
come with or without the annotators' labels.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Item, Prompt, PromptGroup
from judgeharness.strategies.options import OptionOrders, OrderOptions
from judgeharness.tasks.task import Task

MAX_PROMPTS = 100_000


class SerialOptions(OrderOptions):
    """`k` is the number of explanations in each prompt; None for all of the item's."""

    k: Annotated[int, Field(ge=1)] | None = None


class ParallelOptions(OrderOptions):
    """`k` is the number of explanations in each prompt."""

    k: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True)
class OrderedSelections:
    """Asks every order of the options with every ordered selection of explanations.

    Attributes:
        k: How many explanations each prompt shows; None for all that the item has.
        explicit: Whether to show the annotators' labels too.
        option_orders: Which orders of the options are asked.
    """

    k: int | None
    explicit: bool
    option_orders: OptionOrders

    def check(self, task: Task) -> None:
        """Raise InputError if items lack explanations, or if there are too many orders to ask."""
        require_explanations(task, 1 if self.k is None else self.k)
        most = max(self.count(len(task.labels), len(item.explanations)) for item in task.items)
        if most > MAX_PROMPTS:
            raise InputError(
                f"{most:,} prompts for one item of {task.name} are too many",
                "use -o option_orders=cyclic, or fewer explanations with -o k=N",
            )

    def count(self, n_labels: int, n_explanations: int) -> int:
        """Return how many prompts an item gets."""
        orders = n_labels if self.option_orders == "cyclic" else math.factorial(n_labels)
        return orders * math.perm(n_explanations, n_explanations if self.k is None else self.k)

    def group(self, item: Item, task: Task, instruction: str = "") -> PromptGroup:
        """Return the prompts.

        Selections of explanations vary slowest, so neighbouring prompts share long prefixes.

        `instruction` says how to answer, if not with a letter.
        """
        selections = itertools.permutations(
            range(len(item.explanations)), len(item.explanations) if self.k is None else self.k
        )
        return PromptGroup(item.uid, tuple(self._prompts(item, task, selections, instruction)))

    def _prompts(
        self, item: Item, task: Task, selections: Iterator[tuple[int, ...]], instruction: str
    ) -> Iterator[Prompt]:
        for selection in selections:
            shown = [item.explanations[index] for index in selection]
            for options in option_orders(len(task.labels), self.option_orders):
                messages = task.template.render(item, task.labels, options, shown, self.explicit, instruction)
                yield Prompt(messages, options, selection)


def option_orders(n_labels: int, which: OptionOrders) -> Iterator[tuple[int, ...]]:
    """Yield the orders of the options: all, or the cyclic ones."""
    if which == "all":
        yield from itertools.permutations(range(n_labels))
        return
    for shift in range(n_labels):
        yield tuple((shift + index) % n_labels for index in range(n_labels))


def require_explanations(task: Task, needed: int) -> None:
    """Raise InputError if items have fewer explanations than needed."""
    short = [item for item in task.items if len(item.explanations) < needed]
    if not short:
        return
    lack = "no explanations" if needed == 1 else f"fewer than {needed} explanations"
    raise InputError(
        f"{len(short)} of {len(task.items)} items of {task.name} have {lack} (the first: {short[0].uid})",
        "use the strategy no-explanation, a task with explanations such as chaosnli, or 'judgeharness explain'",
    )


def no_explanation(options: OrderOptions) -> OrderedSelections:
    """Show no explanation: K! prompts."""
    return OrderedSelections(0, False, options.option_orders)


def serial(options: SerialOptions) -> OrderedSelections:
    """Show all explanations in every order: K! * E! prompts."""
    return OrderedSelections(options.k, False, options.option_orders)


def serial_explicit(options: SerialOptions) -> OrderedSelections:
    """Like serial, with the annotators' labels."""
    return OrderedSelections(options.k, True, options.option_orders)


def parallel(options: ParallelOptions) -> OrderedSelections:
    """Show one explanation in each prompt: K! * E prompts."""
    return OrderedSelections(options.k, False, options.option_orders)


def parallel_explicit(options: ParallelOptions) -> OrderedSelections:
    """Like parallel, with the annotators' labels."""
    return OrderedSelections(options.k, True, options.option_orders)
