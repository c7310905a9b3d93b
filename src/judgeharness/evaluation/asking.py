"""Ask a model for the answers that a plan lacks, and store them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from judgeharness.backends.contract import Metered, Model
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import (
    Answer,
    GeneratedTexts,
    Item,
    PromptGroup,
    ScoringFailure,
)
from judgeharness.evaluation.conversation import last_turn
from judgeharness.evaluation.executors.contract import Executor, Spread
from judgeharness.evaluation.plan import ItemPlan, Plan, make_plan
from judgeharness.evaluation.progress import Watcher
from judgeharness.plugins.walls import who
from judgeharness.store.answer_store import AnswerStore

SECONDS_BETWEEN_LOOKS = 0.2
"""How often the store is checked for answers that other processes ask for."""


@dataclass(slots=True)
class Outcome:
    """The result of asking: how many prompts are done, and why groups could not be answered."""

    prompts: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def complete(
    plan: Plan, model: Model, executor: Executor, kept: AnswerStore, name: str, watch: Watcher
) -> tuple[Outcome, Plan]:
    """Ask until nothing more can be answered. Returns the outcome and the plan as it then is. Raises as `ask`."""
    if isinstance(model, Metered):
        model.meter(kept)
    whole = Outcome()
    while plan.missing:
        writes = plan.answering == "generate"
        watch.started(f"{name}: writing" if writes else name, plan.n_missing_prompts)
        try:
            done = ask(plan, model, executor, kept, partial(_tell, watch, model), watch.waiting)
        finally:
            watch.finished()
        whole.prompts += done.prompts
        whole.failures |= done.failures
        if not writes:
            # Text is generated before anything is scored, so nothing is missing after the scores.
            break
        plan = make_plan(plan.task, plan.strategy, model, kept.backend_digest, kept.answers, whole.failures)
    return whole, plan


def ask(
    plan: Plan,
    model: Model,
    executor: Executor,
    kept: AnswerStore,
    progress: Callable[[int], None],
    waiting: Callable[[int], None],
) -> Outcome:
    """Have the missing groups answered, and store each answer as soon as it arrives.

    If another process already asks for a group, that group is left to it and waited for.

    Args:
        plan: What is missing.
        model: The model to ask.
        executor: Where the model answers.
        kept: The store for the answers.
        progress: Called with the number of prompts of each group that is done.
        waiting: Called with the number of items that only other processes still ask for.

    Raises:
        HarnessError: A backend breaks its contract: it answers a group twice or not at all, answers what it was not
            asked, or answers in the wrong shape.
    """
    done = Outcome()
    left = plan.missing
    while left:
        turn = _Turn(plan, kept, progress, who(executor, "the backend"))
        groups = turn.reserve(left)
        first = next(groups, None)
        if first is not None:
            for result in executor.run(model, itertools.chain([first], groups), plan.answering):
                turn.take(result, done)
            turn.require_all()
        elif turn.elsewhere:
            waiting(len(turn.elsewhere))
            time.sleep(SECONDS_BETWEEN_LOOKS)
            kept.store.sessions.end_dead_ones()
        left = tuple(turn.elsewhere)
    return done


class _Turn:
    """One pass over the items, which asks for those that no other process asks for.

    Attributes:
        elsewhere: The items that another process asks for.
    """

    def __init__(self, plan: Plan, kept: AnswerStore, progress: Callable[[int], None], by: str) -> None:
        self._by = by
        self.elsewhere: list[Item] = []
        self._plan = plan
        self._kept = kept
        self._progress = progress
        self._pending: set[str] = set()
        self._asked = 0

    def reserve(self, items: Iterable[Item]) -> Iterator[PromptGroup]:
        """Yield the groups to ask, each reserved just before it is yielded."""
        plan, kept = self._plan, self._kept
        for item in items:
            entry = plan.items[item.uid]
            if not kept.lease(entry.key):
                # If two items have the same texts, the second one gets the answer to the first in the next pass.
                self.elsewhere.append(item)
            elif item.uid not in plan.refused and kept.answers.known([entry.key]):
                kept.release(entry.key)
                self._progress(entry.prompts)
            else:
                self._pending.add(item.uid)
                self._asked += 1
                yield last_turn(plan.strategy, item, plan.task, kept.backend_digest, kept.answers.texts).group

    def take(self, result: Answer | ScoringFailure, done: Outcome) -> None:
        """Store a result. Raises HarnessError if the backend breaks its contract."""
        if result.uid not in self._pending:
            raise HarnessError(f"{self._by} answered for '{result.uid}', which it was not asked, or asked no more")
        self._pending.remove(result.uid)
        entry = self._plan.items[result.uid]
        failure = result.reason if isinstance(result, ScoringFailure) else getattr(result, "nonsense", None)
        if failure:
            done.failures[result.uid] = failure
            self._kept.release(entry.key)
        elif not isinstance(result, ScoringFailure):
            _require_shape(result, entry, self._plan, self._by)
            self._kept.add(entry.key, result)
        done.prompts += entry.prompts
        self._progress(entry.prompts)

    def require_all(self) -> None:
        """Raise HarnessError if a group was not answered."""
        if self._pending:
            raise HarnessError(f"{self._by} gave no answer for {len(self._pending)} of {self._asked} items")


def _tell(watch: Watcher, model: Model, prompts: int) -> None:
    if isinstance(model, Spread):
        watch.spread(model.workers())
    watch.advanced(prompts)


def _require_shape(result: Answer, entry: ItemPlan, plan: Plan, by: str) -> None:
    if isinstance(result, GeneratedTexts) != (plan.answering == "generate"):
        raise HarnessError(f"{by} answered for '{result.uid}' with {type(result).__name__}")
    labels = len(plan.task.labels)
    found, expected = (
        ((len(result.texts),), (entry.prompts,))
        if isinstance(result, GeneratedTexts)
        else (result.scores.shape, (entry.prompts, labels))
    )
    if found != expected:
        raise HarnessError(f"{by} answered for '{result.uid}' in the shape {found}, not {expected}")
