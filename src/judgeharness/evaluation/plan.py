"""What there is to do for a task under a strategy, and what is in the store already."""

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
    """How far an item has come, without its prompts: see `conversation.Turn`. answered: whether its last group is."""

    key: str
    prompts: int
    answering: Answering
    text_keys: tuple[str, ...]
    max_tokens: int
    answered: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """One task asked of one model under one strategy: what is to be asked next.

    items: of every item, by uid. refused: uids of items that the model cannot be given as they are meant. missing: the
    items whose next group is to be answered now, all in the way that `answering` says. waiting: how many items more are
    to be asked after that. tokens: of the missing items' prompts;
    unless `exact`, estimated from a sample of items, or from the characters where the model does not tell the tokens.
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
        """Prompts that have yet to be answered."""
        return sum(self.items[item.uid].prompts for item in self.missing)

    @property
    def n_written_tokens(self) -> int:
        """At most so many tokens are to be written."""
        items = [self.items[item.uid] for item in self.missing]
        return sum(entry.prompts * entry.max_tokens for entry in items)


@dataclass(frozen=True, slots=True)
class Step:
    """One task for one backend under one strategy.

    The step of a model has a strategy and a plan. That of a predictor has its predictions at once.
    """

    task: Task
    backend: OpenBackend
    strategy: Component | None = None
    plan: Plan | None = None
    predictions: tuple[Prediction, ...] = ()

    @property
    def name(self) -> str:
        """Task, backend and strategy, for people."""
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
    """What there is to do, and what is in the store already; `failed` items are not asked again.

    Raises InputError where the strategy does not fit, HarnessError if the model cannot be given such prompts at all.
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
    # What is written first is followed by what is scored, so that a model does one thing at a time.
    ways = {items[item.uid].answering for item in open_ones}
    answering: Answering = "generate" if "generate" in ways else "score"
    missing = tuple(item for item in open_ones if items[item.uid].answering == answering)
    waiting = len(open_ones) - len(missing)
    plan = Plan(task, strategy, items, frozenset(refused), missing, answering, waiting, TokenCount(0, 0), True)
    tokens, exact = _count(plan, model, backend_digest, stored)
    return replace(plan, tokens=tokens, exact=exact)


def _is_readable(model: Model, group: PromptGroup) -> bool:
    """Whether the model can be given a group, by its first prompt. An answer may be older than the check."""
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
    """The missing items' tokens, and whether they were counted one by one."""
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
