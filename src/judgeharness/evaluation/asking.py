"""The way through: what is to be asked goes to a model, its answers to the store, and from there to predictions.

Pure but for the model and the store; `evaluation` decides what goes this way, and the console watches.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from judgeharness.backends.contract import Metered, Model
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import (
    Answer,
    GeneratedTexts,
    Item,
    OptionScores,
    Prediction,
    PromptGroup,
    Reading,
    ScoringFailure,
)
from judgeharness.evaluation.conversation import last_turn
from judgeharness.evaluation.executors.contract import Executor, Spread, WorkerRate
from judgeharness.evaluation.plan import Stand, Work, plan
from judgeharness.plugins.walls import who
from judgeharness.store.answer_store import AnswerStore
from judgeharness.store.answers import Answers
from judgeharness.strategies.contract import WritingStrategy
from judgeharness.transforms.average import Tally, UninformativeError, distribution_of
from judgeharness.transforms.contract import Transform, UndefinedTransformError

SECONDS_BETWEEN_LOOKS = 0.2
"""How often the store is looked at for answers that other processes ask for."""


class Progress(Protocol):
    """What wants to know how asking goes."""

    def started(self, name: str, prompts: int) -> None:
        """Asking begins, under a name."""

    def advanced(self, prompts: int) -> None:
        """That many prompts more were answered and stored."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """What each of several workers has done so far."""

    def waiting(self, items: int) -> None:
        """Nothing is left to be asked here; other processes ask for so many items. Told again and again."""

    def finished(self) -> None:
        """Asking is over, or broken off."""


class Unwatched:
    """For asking that nobody watches."""

    def started(self, name: str, prompts: int) -> None:
        """Nothing."""

    def advanced(self, prompts: int) -> None:
        """Nothing."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """Nothing."""

    def waiting(self, items: int) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""


@dataclass(slots=True)
class Outcome:
    """What asking has done so far: prompts done, and the groups that could not be answered with the reason."""

    prompts: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def complete(
    work: Work, model: Model, executor: Executor, kept: AnswerStore, name: str, watch: Progress
) -> tuple[Outcome, Work]:
    """Ask until nothing is missing that can be had; what was done, and the work as it then is. Raises as `ask`."""
    if isinstance(model, Metered):
        model.meter(kept)
    whole = Outcome()
    while work.missing:
        writes = work.answering == "generate"
        watch.started(f"{name}: writing" if writes else name, work.n_missing_prompts)
        try:
            done = ask(work, model, executor, kept, partial(_tell, watch, model), watch.waiting)
        finally:
            watch.finished()
        whole.prompts += done.prompts
        whole.failures |= done.failures
        if not writes:
            # Whatever is written is asked for first, so scores are the last that is missing.
            break
        work = plan(work.task, work.strategy, model, kept.backend_digest, kept.answers, whole.failures)
    return whole, work


def ask(
    work: Work,
    model: Model,
    executor: Executor,
    kept: AnswerStore,
    progress: Callable[[int], None],
    waiting: Callable[[int], None],
) -> Outcome:
    """Have the missing groups answered, each kept under its key as soon as it is done.

    A group for which another process asks is left to it, and waited for. progress: told the number of prompts of each
    group that is done. waiting: told how many items others still ask for when nothing else is left. Raises HarnessError
    if a backend breaks its contract: a group answered twice, not at all, unasked, or with the wrong shape.
    """
    done = Outcome()
    left = work.missing
    while left:
        turn = _Turn(work, kept, progress, who(executor, "the backend"))
        groups = turn.reserve(left)
        first = next(groups, None)
        if first is not None:
            for result in executor.run(model, itertools.chain([first], groups), work.answering):
                turn.take(result, done)
            turn.require_all()
        elif turn.elsewhere:
            waiting(len(turn.elsewhere))
            time.sleep(SECONDS_BETWEEN_LOOKS)
            kept.store.sessions.end_dead_ones()
        left = tuple(turn.elsewhere)
    return done


class _Turn:
    """One pass over items: those that nobody else asks for are asked. elsewhere: the others. by: who answers."""

    def __init__(self, work: Work, kept: AnswerStore, progress: Callable[[int], None], by: str) -> None:
        self._by = by
        self.elsewhere: list[Item] = []
        self._work = work
        self._kept = kept
        self._progress = progress
        self._pending: set[str] = set()
        self._asked = 0

    def reserve(self, items: Iterable[Item]) -> Iterator[PromptGroup]:
        """The groups to be asked, each reserved just before."""
        work, kept = self._work, self._kept
        for item in items:
            stand = work.stands[item.uid]
            if not kept.lease(stand.key):
                # Of two items with the same texts, the second finds the answer of the first in the next pass.
                self.elsewhere.append(item)
            elif item.uid not in work.refused and kept.answers.known([stand.key]):
                kept.release(stand.key)
                self._progress(stand.prompts)
            else:
                self._pending.add(item.uid)
                self._asked += 1
                yield last_turn(work.strategy, item, work.task, kept.backend_digest, kept.answers.texts).group

    def take(self, result: Answer | ScoringFailure, done: Outcome) -> None:
        """Keep a result. Raises HarnessError where the backend breaks its contract."""
        if result.uid not in self._pending:
            raise HarnessError(f"{self._by} answered for '{result.uid}', which it was not asked, or asked no more")
        self._pending.remove(result.uid)
        stand = self._work.stands[result.uid]
        failure = result.reason if isinstance(result, ScoringFailure) else getattr(result, "nonsense", None)
        if failure:
            done.failures[result.uid] = failure
            self._kept.release(stand.key)
        elif not isinstance(result, ScoringFailure):
            _require_shape(result, stand, self._work, self._by)
            self._kept.add(stand.key, result)
        done.prompts += stand.prompts
        self._progress(stand.prompts)

    def require_all(self) -> None:
        """Raises HarnessError where groups were not answered."""
        if self._pending:
            raise HarnessError(f"{self._by} gave no answer for {len(self._pending)} of {self._asked} items")


def _tell(watch: Progress, model: Model, prompts: int) -> None:
    if isinstance(model, Spread):
        watch.spread(model.workers())
    watch.advanced(prompts)


def _require_shape(result: Answer, stand: Stand, work: Work, by: str) -> None:
    if isinstance(result, GeneratedTexts) != (work.answering == "generate"):
        raise HarnessError(f"{by} answered for '{result.uid}' with {type(result).__name__}")
    labels = len(work.task.labels)
    found, expected = (
        ((len(result.texts),), (stand.prompts,))
        if isinstance(result, GeneratedTexts)
        else (result.scores.shape, (stand.prompts, labels))
    )
    if found != expected:
        raise HarnessError(f"{by} answered for '{result.uid}' in the shape {found}, not {expected}")


@dataclass(frozen=True, slots=True)
class Predicted:
    """predictions: for each transform, one for each item. undefined: for each transform, why it is for an item."""

    predictions: tuple[list[Prediction], ...]
    undefined: tuple[list[str], ...]
    tally: Tally


def predict(
    work: Work, transforms: Sequence[Transform | None], stored: Answers, failures: Mapping[str, str]
) -> Predicted:
    """Predictions of all items under all transforms, from the stored answers, each read once.

    Of a strategy that reads distributions from texts, the only transform is None.
    """
    found: tuple[list[Prediction], ...] = tuple([] for _ in transforms)
    undefined: tuple[list[str], ...] = tuple([] for _ in transforms)
    tally = Tally()
    for item in work.task.items:
        stand = work.stands[item.uid]
        written = [texts for key in stand.text_keys if (texts := stored.texts(key)) is not None]
        # An item that was refused has no answer, though an earlier version may have stored one.
        answer = None if item.uid in failures else _answer(work, item, written, stored)
        if answer is None:
            for predictions in found:
                predictions.append(Prediction(item.uid, None, failures.get(item.uid, "not asked")))
            continue
        tally.count(answer, written)
        for transform, predictions, reasons in zip(transforms, found, undefined, strict=True):
            predictions.append(_prediction(item.uid, answer, stand, transform, reasons))
    return Predicted(found, undefined, tally)


def _answer(
    work: Work, item: Item, written: Sequence[GeneratedTexts], stored: Answers
) -> OptionScores | Reading | None:
    stand = work.stands[item.uid]
    if stand.answering == "score":
        return stored.scores(stand.key, (stand.prompts, len(work.task.labels)))
    if not stand.answered or not isinstance(work.strategy, WritingStrategy):
        return None
    said = work.strategy.follow(item, work.task, written)
    return said if isinstance(said, Reading) else None


def _prediction(
    uid: str, answer: OptionScores | Reading, stand: Stand, transform: Transform | None, undefined: list[str]
) -> Prediction:
    # Two items with the same texts share their scores, which carry the uid of the first.
    key = stand.key if isinstance(answer, OptionScores) else None
    try:
        return Prediction(uid, tuple(distribution_of(answer, transform).tolist()), None, key, stand.text_keys)
    except UndefinedTransformError as error:
        undefined.append(str(error))
        return Prediction(uid, None, str(error), key, stand.text_keys)
    except UninformativeError as error:
        return Prediction(uid, None, str(error), key, stand.text_keys)
    # Of a transform that fails, or gives something else than distributions. Others may do better.
    except HarnessError as error:
        return Prediction(uid, None, error.message, key, stand.text_keys)
