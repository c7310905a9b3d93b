"""How far a model has come with an item: a strategy's groups, one after the other, made again from stored answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from judgeharness.backends.contract import Answering
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.hashes import group_digest
from judgeharness.domain.nouns import GeneratedTexts, Item, PromptGroup, Reading
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.task import Task

MAX_TURNS = 100


@dataclass(frozen=True, slots=True)
class Turn:
    """The last group of an item.

    key: of its answer. text_keys: of the texts before, and of its own where they were read. reading: what they say;
    None where the group is yet to be answered, or is answered by scores.
    """

    group: PromptGroup
    key: str
    text_keys: tuple[str, ...] = ()
    reading: Reading | None = None

    @property
    def answering(self) -> Answering:
        """How the group is answered."""
        return "score" if self.group.decoding is None else "generate"


def last_turn(
    strategy: Strategy, item: Item, task: Task, backend_digest: str, texts: Callable[[str], GeneratedTexts | None]
) -> Turn:
    """Where an item stands. Raises as `turns`."""
    *_, last = turns(strategy, item, task, backend_digest, texts)
    return last


def turns(
    strategy: Strategy, item: Item, task: Task, backend_digest: str, texts: Callable[[str], GeneratedTexts | None]
) -> Iterator[Turn]:
    """An item's groups in the order in which they are asked, as far as they follow from what was written.

    texts: those under a key, None where they are yet to be written. Raises HarnessError where a strategy breaks its
    contract.
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
