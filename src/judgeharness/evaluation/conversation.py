"""How far a model has got with an item: the strategy's prompt groups in turn, rebuilt from stored answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from judgeharness.backends.contract import Answering
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import GeneratedTexts, Item, PromptGroup, Reading
from judgeharness.store.keys import group_digest
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.task import Task

MAX_TURNS = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """One prompt group of an item.

    Attributes:
        group: The prompts.
        key: The key under which the answer is stored.
        text_keys: The keys of all texts generated so far, including this group's if they have been read.
        reading: What the strategy read from the texts. None if the group has no answer yet or is answered with scores.
    """

    group: PromptGroup
    key: str
    text_keys: tuple[str, ...] = ()
    reading: Reading | None = None

    @property
    def answering(self) -> Answering:
        """Whether the group is answered with scores or with generated text."""
        return "score" if self.group.decoding is None else "generate"


def last_turn(
    strategy: Strategy, item: Item, task: Task, backend_digest: str, texts: Callable[[str], GeneratedTexts | None]
) -> Turn:
    """Return the group that an item has reached. Raises as `turns`."""
    *_, last = turns(strategy, item, task, backend_digest, texts)
    return last


def turns(
    strategy: Strategy, item: Item, task: Task, backend_digest: str, texts: Callable[[str], GeneratedTexts | None]
) -> Iterator[Turn]:
    """Yield an item's groups in the order in which they are asked, as far as stored texts determine them.

    Args:
        strategy: Makes the groups.
        item: The item.
        task: The item's task.
        backend_digest: The backend that answers.
        texts: Returns the stored texts under a key, or None if they have not been generated.

    Raises:
        HarnessError: The strategy breaks its contract.
    """
    group = strategy.group(item, task)
    key = group_digest(group, backend_digest)
    written: list[GeneratedTexts] = []
    keys: tuple[str, ...] = ()
    while group.decoding is not None:
        found = texts(key)
        if found is None:
            break
        if not isinstance(strategy, WritingStrategy) or len(found.texts) != len(group.prompts):
            raise HarnessError(f"{type(strategy).__name__} has texts written, but has no method 'follow' to read them")
        written.append(found)
        keys += (key,)
        following = strategy.follow(item, task, written)
        if isinstance(following, Reading):
            yield Turn(group, key, keys, following)
            return
        yield Turn(group, key, keys)
        group, key = following, group_digest(following, backend_digest)
        if len(keys) > MAX_TURNS:
            raise HarnessError(f"{type(strategy).__name__} asks more than {MAX_TURNS} times for item {item.uid}")
    yield Turn(group, key, keys)
