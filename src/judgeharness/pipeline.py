"""The way through: what is to be asked goes to a model, its answers to the store, and from there to predictions.

Pure but for the model and the store; `evaluation` decides what goes this way, and the console watches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from judgeharness.backends.contract import Model
from judgeharness.domain import (
    Answer,
    GeneratedTexts,
    Item,
    OptionScores,
    Prediction,
    PromptGroup,
    Reading,
    ScoringFailure,
)
from judgeharness.errors import HarnessError
from judgeharness.estimates import Tally, UninformativeError, distribution_of
from judgeharness.executors.contract import Executor, Spread, WorkerRate
from judgeharness.store.answers import Answers
from judgeharness.strategies.contract import WritingStrategy
from judgeharness.transforms.contract import Transform, UndefinedTransformError
from judgeharness.turns import last_turn
from judgeharness.work import Stand, Work, plan


class Progress(Protocol):
    """What wants to know how asking goes."""

    def started(self, name: str, prompts: int) -> None:
        """Asking begins, under a name."""

    def advanced(self, prompts: int) -> None:
        """That many prompts more were answered and stored."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """What each of several workers has done so far."""

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

    def finished(self) -> None:
        """Nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where answers are kept: in which store, under which backend, and by which session."""

    stored: Answers
    backend_digest: str
    session_id: str


@dataclass(slots=True)
class Asked:
    """What asking has done so far: prompts done, and the groups that could not be answered with the reason."""

    prompts: int = 0
    failures: dict[str, str] = field(default_factory=dict)


def complete(
    work: Work, model: Model, executor: Executor, place: Place, name: str, watch: Progress
) -> tuple[Asked, Work]:
    """Ask until nothing is missing that can be had; what was done, and the work as it then is. Raises as `ask`."""
    whole = Asked()
    while work.missing:
        writes = work.answering == "generate"
        watch.started(f"{name}: writing" if writes else name, work.n_missing_prompts)
        try:
            done = ask(work, model, executor, place, partial(_tell, watch, model))
        finally:
            watch.finished()
        whole.prompts += done.prompts
        whole.failures |= done.failures
        if not writes:
            # Whatever is written is asked for first, so scores are the last that is missing.
            break
        work = plan(work.task, work.strategy, model, place.backend_digest, place.stored, whole.failures)
    return whole, work


def ask(work: Work, model: Model, executor: Executor, place: Place, progress: Callable[[int], None]) -> Asked:
    """Have the missing groups answered, each kept under its key as soon as it is done.

    progress: told the number of prompts of each group that is done. Raises HarnessError where a backend breaks its
    contract: a group answered twice, not at all, unasked, or with the wrong shape.
    """
    done = Asked()
    pending = {item.uid for item in work.missing}
    groups = _groups(work, place)
    for result in executor.run(model, groups, work.answering):
        if result.uid not in pending:
            raise HarnessError(f"the backend answered for '{result.uid}', which it was not asked, or asked no more")
        pending.remove(result.uid)
        stand = work.stands[result.uid]
        if isinstance(result, ScoringFailure):
            done.failures[result.uid] = result.reason
        elif isinstance(result, OptionScores) and result.nonsense:
            done.failures[result.uid] = result.nonsense
        else:
            _require_shape(result, stand, work)
            place.stored.add(stand.key, place.backend_digest, place.session_id, result)
        done.prompts += stand.prompts
        progress(stand.prompts)
    if pending:
        raise HarnessError(f"the backend gave no answer for {len(pending)} of {len(work.missing)} items")
    return done


def _tell(watch: Progress, model: Model, prompts: int) -> None:
    if isinstance(model, Spread):
        watch.spread(model.workers())
    watch.advanced(prompts)


def _groups(work: Work, place: Place) -> Iterator[PromptGroup]:
    for item in work.missing:
        yield last_turn(work.strategy, item, work.task, place.backend_digest, place.stored.texts).group


def _require_shape(result: Answer, stand: Stand, work: Work) -> None:
    if isinstance(result, GeneratedTexts) != (work.answering == "generate"):
        raise HarnessError(f"the backend answered for '{result.uid}' with {type(result).__name__}")
    labels = len(work.task.labels)
    found, expected = (
        ((len(result.texts),), (stand.prompts,))
        if isinstance(result, GeneratedTexts)
        else (result.scores.shape, (stand.prompts, labels))
    )
    if found != expected:
        raise HarnessError(f"the backend answered for '{result.uid}' in the shape {found}, not {expected}")


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
