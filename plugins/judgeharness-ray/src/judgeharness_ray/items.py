"""What is sent to a worker at a time: whole prompt groups, the longest first. Pure."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from judgeharness.backends.local.prefix_tree import count_tokens
from judgeharness.plugin import Model, PromptGroup

CHARACTERS_A_TOKEN = 4
WINDOW = 256


@dataclass(frozen=True, slots=True)
class Item:
    """Groups that are answered together. tokens: how much work they are. deaths: how many workers died of them."""

    groups: tuple[PromptGroup, ...]
    tokens: int
    deaths: int = 0

    def after_death(self) -> list[Item]:
        """The item once more; from the second time on a group each, so that one alone is to blame."""
        deaths = self.deaths + 1
        if deaths < 2 or len(self.groups) == 1:
            return [replace(self, deaths=deaths)]
        return [Item((group,), self.tokens // len(self.groups), deaths) for group in self.groups]


def size(group: PromptGroup, model: Model) -> int:
    """The unique tokens of a group's prompts, and those that are written to them at most."""
    written = 0 if group.decoding is None else group.decoding.max_tokens * len(group.prompts)
    tokens = model.encode(group)
    if tokens is not None:
        return count_tokens(tokens).unique + written
    characters = sum(len(message.content) for prompt in group.prompts for message in prompt.messages)
    return characters // CHARACTERS_A_TOKEN + written


@dataclass(slots=True)
class Queue:
    """Work that has yet to be sent. Of the groups, the longest of the next WINDOW are at hand: more would fill memory.

    groups: all of them. measured: how much work one is. most: tokens of an item. workers: how many share the work.
    """

    groups: Iterable[PromptGroup]
    measured: Callable[[PromptGroup], int]
    most: int
    workers: int
    _heap: list[tuple[int, int, PromptGroup]] = field(default_factory=list)
    _again: list[Item] = field(default_factory=list)
    _count: itertools.count[int] = field(default_factory=itertools.count)
    _whole: bool = False

    def __post_init__(self) -> None:
        self.groups = iter(self.groups)

    def next(self) -> Item | None:
        """What is to be sent next; None where nothing is left."""
        if self._again:
            return self._again.pop()
        self._fill()
        if not self._heap:
            return None
        # Towards the end smaller ones, so that no worker is left with much while the others have nothing to do.
        left = sum(-tokens for tokens, _, _ in self._heap)
        most = min(self.most, left // (2 * self.workers)) if self._whole else self.most
        found: list[PromptGroup] = []
        total = 0
        while self._heap and (not found or total - self._heap[0][0] <= most):
            tokens, _, group = heapq.heappop(self._heap)
            found.append(group)
            total -= tokens
        return Item(tuple(found), total)

    def put_back(self, items: Iterable[Item]) -> None:
        """Work to be done again, before anything else."""
        self._again.extend(items)

    def _fill(self) -> None:
        for group in itertools.islice(self.groups, WINDOW - len(self._heap)):
            heapq.heappush(self._heap, (-self.measured(group), next(self._count), group))
        self._whole = len(self._heap) < WINDOW
