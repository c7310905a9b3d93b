"""What is left to do for a task under a strategy, given what is in the store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from judgeharness.backends.contract import Answering, Model, PromptError
from judgeharness.backends.local.prefix_tree import TokenCount, count_tokens
from judgeharness.domain.nouns import Item, Prediction, PromptGroup
from judgeharness.evaluation.components import Component, OpenBackend
from judgeharness.evaluation.conversation import Turn, last_turn
from judgeharness.store.answers import Answers
from judgeharness.strategies.contract import Strategy
from judgeharness.tasks.task import Task

COUNTED_ITEMS = 16
CHARACTERS_A_TOKEN = 4


@dataclass(frozen=True, slots=True)
class ItemPlan:
    """How far an item has got, without its prompts: see `conversation.Turn`. `answered` is about its last group."""

    key: str
    prompts: int
    answering: Answering
    text_keys: tuple[str, ...]
    max_tokens: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask next, for one task, one model and one strategy.

    Attributes:
        task: The task.
        strategy: The strategy.
        items: The state of every item, by uid.
        refused: The uids of items whose prompts the model cannot take as they are meant.
        missing: The items whose next group is to be answered now, all in the way that `answering` says.
        answering: Whether the missing groups are scored or generated.
        waiting: How many more items are to be asked after that.
        tokens: The tokens of the missing items' prompts.
        exact: Whether all tokens were counted. If not, `tokens` is estimated from a sample of items, or from the number
            of characters if the model does not reveal its tokens.
    """

    task: Task
    strategy: Strategy
    items: Mapping[str, ItemPlan]
    refused: frozenset[str]
    missing: tuple[Item, ...]
    answering: Answering
    waiting: int
    tokens: TokenCount
    exact: bool

    @property
    def n_missing_prompts(self) -> int:
        """How many prompts are to be asked next."""
        return sum(self.items[item.uid].prompts for item in self.missing)

    @property
    def n_written_tokens(self) -> int:
        """The largest number of tokens that the missing items may generate."""
        items = [self.items[item.uid] for item in self.missing]
        return sum(entry.prompts * entry.max_tokens for entry in items)


@dataclass(frozen=True, slots=True)
class Step:
    """One task with one backend and one strategy.

    A model's step has a strategy and a plan. A predictor's step has predictions from the start.
    """

    task: Task
    backend: OpenBackend
    strategy: Component | None = None
    plan: Plan | None = None
    predictions: tuple[Prediction, ...] = ()

    @property
    def name(self) -> str:
        """Task, backend and strategy, for display."""
        names = (self.task.name, self.backend.name, self.strategy.name if self.strategy else "")
        return " · ".join(name for name in names if name)


def make_plan(
    task: Task,
    strategy: Strategy,
    model: Model,
    backend_digest: str,
    stored: Answers,
    failed: Collection[str] = (),
) -> Plan:
    """Find out what is left to do and what is in the store. `failed` items are not asked again.

    Raises:
        InputError: The strategy does not fit the task.
        HarnessError: The model cannot take such prompts at all.
    """
    strategy.check(task)
    items: dict[str, ItemPlan] = {}
    refused: set[str] = set()
    for item in task.items:
        turn = last_turn(strategy, item, task, backend_digest, stored.texts)
        items[item.uid] = _item_plan(turn)
        if not _is_readable(model, turn.group):
            refused.add(item.uid)
    known = stored.known(entry.key for entry in items.values() if entry.answering == "score")
    for uid, entry in items.items():
        items[uid] = replace(entry, answered=uid not in refused and (entry.answered or entry.key in known))
    open_ones = [item for item in task.items if not items[item.uid].answered and item.uid not in failed]
    # All text is generated before anything is scored, so that the model does one thing at a time.
    ways = {items[item.uid].answering for item in open_ones}
    answering: Answering = "generate" if "generate" in ways else "score"
    missing = tuple(item for item in open_ones if items[item.uid].answering == answering)
    waiting = len(open_ones) - len(missing)
    plan = Plan(task, strategy, items, frozenset(refused), missing, answering, waiting, TokenCount(0, 0), True)
    tokens, exact = _count(plan, model, backend_digest, stored)
    return replace(plan, tokens=tokens, exact=exact)


def _is_readable(model: Model, group: PromptGroup) -> bool:
    """Return whether the model can take a group, judged by its first prompt.

    A stored answer is no evidence, because it may be older than this check.
    """
    try:
        model.render(replace(group, prompts=group.prompts[:1]))
    except PromptError:
        return False
    return True


def _item_plan(turn: Turn) -> ItemPlan:
    decoding = turn.group.decoding
    return ItemPlan(
        turn.key,
        len(turn.group.prompts),
        turn.answering,
        turn.text_keys,
        0 if decoding is None else decoding.max_tokens,
        turn.reading is not None,
    )


def _count(plan: Plan, model: Model, backend_digest: str, stored: Answers) -> tuple[TokenCount, bool]:
    """Return the tokens of the missing items, and whether all of them were counted."""
    missing = plan.missing
    sample = missing[:: max(1, len(missing) // COUNTED_ITEMS)][:COUNTED_ITEMS]
    counted, by_characters, n_read = TokenCount(0, 0), False, 0
    for item in sample:
        group = last_turn(plan.strategy, item, plan.task, backend_digest, stored.texts).group
        try:
            tokens = model.encode(group)
        except PromptError:
            continue
        n_read += 1
        by_characters = tokens is None
        if tokens is None:
            texts = ["".join(message.content for message in prompt.messages) for prompt in group.prompts]
            tokens = [[*map(ord, text), 0] for text in texts]
        counted += count_tokens(tokens)
    if not n_read:
        return TokenCount(0, 0), not missing
    scale = len(missing) / n_read / (CHARACTERS_A_TOKEN if by_characters else 1)
    exact = n_read == len(missing) and not by_characters
    return TokenCount(round(counted.total * scale), round(counted.unique * scale)), exact
