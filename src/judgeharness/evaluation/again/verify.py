"""Check a run by asking for a sample of its stored answers again."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from judgeharness.backends.closing import close
from judgeharness.backends.contract import METHODS, Model
from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import (
    Answer,
    FloatArray,
    GeneratedTexts,
    Item,
    OptionScores,
    Prediction,
    PromptGroup,
    ScoringFailure,
)
from judgeharness.evaluation.again.origin import Change, Origin, changes, origin_of, versions_of
from judgeharness.evaluation.components import OpenBackend, component, open_backend
from judgeharness.evaluation.conversation import Turn, turns
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.versions import session_record
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins import options
from judgeharness.plugins.registry import Registry
from judgeharness.store.answers import Answers
from judgeharness.store.database import Store
from judgeharness.store.runs import Run
from judgeharness.strategies.contract import Strategy
from judgeharness.tasks.explanations import explained
from judgeharness.tasks.task import Task
from judgeharness.transforms.average import UninformativeError, distribution_of
from judgeharness.transforms.contract import Transform, UndefinedTransformError

TOLERANCE = 1e-3
SAMPLE = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """A stored answer compared with the answer now.

    Attributes:
        uid: The item.
        prompts: How many prompts were asked.
        distance: The total variation distance between the item's two distributions, if the answer is scores.
        probability: The largest difference in an option's probability after any one prompt, if the answer is scores.
        texts: How many of the generated texts differ, if the answer is texts.
        failure: Why there is no answer now.
    """

    uid: str
    prompts: int
    distance: float | None = None
    probability: float | None = None
    texts: int | None = None
    failure: str | None = None

    def holds(self, tolerance: float) -> bool:
        """Return whether the answer is the same: texts exactly, distributions within the tolerance."""
        return self.failure is None and not self.texts and (self.distance or 0.0) <= tolerance


@dataclass(frozen=True, slots=True)
class Verified:
    """The result of a check.

    Attributes:
        run: The run.
        checked: The answers that were compared.
        changes: What the run depends on and has changed.
        tolerance: The largest distance at which an answer still holds.
    """

    run: Run
    checked: Sequence[Checked]
    changes: Sequence[Change]
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether every answer still holds."""
        return all(each.holds(self.tolerance) for each in self.checked)


@dataclass(frozen=True, slots=True)
class Kept:
    """A stored answer, and the prompt group that it answers."""

    group: PromptGroup
    answer: Answer


@dataclass(frozen=True, slots=True)
class Sample:
    """How many items are drawn, and the seed of the draw."""

    size: int = SAMPLE
    seed: int = 0


def verify(
    run: Run, request: Request, store: Store, workspace: Workspace, sample: Sample, tolerance: float
) -> Verified:
    """Ask for a sample of a run's answers again, and compare them with the stored ones. The store is not changed.

    Args:
        run: The run.
        request: The request that makes the run again, with only what the user trusts.
        store: The store that holds the run's answers.
        workspace: Where the task and the backend come from.
        sample: How many items to ask about again.
        tolerance: The largest total variation distance between an item's two distributions.

    Raises:
        InputError: The run asked no prompts, or its task or strategy has changed.
        HarnessError: The backend failed.
    """
    if run.strategy is None:
        raise InputError(f"run {run.id} of {run.backend} asked no prompts", "'judgeharness rerun' makes it again")
    registry, watcher = workspace.registry, workspace.watcher()
    strategy = component(registry.strategies, run.strategy, request.values).part
    tempered = options.with_temperature(request.values, request.temperature)
    transform = None if run.transform is None else component(registry.transforms, run.transform, tempered).part
    given = run.record.explanations
    shown = None if given is None else store.explanations.find(given.set)
    task = explained(workspace.task(request.tasks[0], run.split, request.limit), shown)
    uids = sampled(store.runs.predictions(run.id), sample.size, sample.seed)
    if not uids:
        raise InputError(f"run {run.id} has no stored answers", "'judgeharness rerun' makes it again")
    kept = list(kept_answers(run, task, strategy, uids, store.answers))
    backend = open_backend(registry, run.backend, request.values, workspace.backend_context(watcher))
    then = origin_of(run, store)
    watcher.started(f"{task.name} · {backend.name}", sum(len(each.group.prompts) for _, own in kept for each in own))
    try:
        checked = check(backend, kept, transform, watcher.advanced)
        # An open model knows more about itself than a closed one.
        now = _now(then, backend, task, registry)
    finally:
        watcher.finished()
        close([backend.part])
    return Verified(run, checked, changes(then, now), tolerance)


def sampled(predictions: Sequence[Prediction], size: int, seed: int) -> list[str]:
    """Draw items with stored answers at random, and return their uids in the order of the predictions."""
    answered = [each.uid for each in predictions if each.score_key is not None or each.text_keys]
    drawn = set(random.Random(seed).sample(answered, min(size, len(answered))))  # noqa: S311 -- no secret
    return [uid for uid in answered if uid in drawn]


def kept_answers(
    run: Run, task: Task, strategy: Strategy, uids: Sequence[str], stored: Answers
) -> Iterator[tuple[str, list[Kept]]]:
    """Yield the stored answers of each item, one for each turn, by uid.

    Raises:
        InputError: The task or the strategy has changed, so other prompts would be asked.
    """
    items: Mapping[str, Item] = {item.uid: item for item in task.items}
    for uid in uids:
        if uid not in items:
            raise InputError(f"run {run.id}: '{uid}' is not an item of task {task.name} any more")
        said = turns(strategy, items[uid], task, run.backend_digest, stored.texts)
        found = [Kept(turn.group, answer) for turn in said if (answer := _stored(turn, stored)) is not None]
        if not found:
            raise InputError(
                f"run {run.id}: the prompts of '{uid}' are not what they were",
                "the task's data or wording, or the strategy, has changed since",
            )
        yield uid, found


def check(
    backend: OpenBackend,
    kept: Sequence[tuple[str, list[Kept]]],
    transform: Transform | None,
    progress: Callable[[int], None],
) -> list[Checked]:
    """Ask for all answers again and compare them. The model is opened but not closed. Raises as the backend does.

    Args:
        backend: The backend.
        kept: The stored answers of each item.
        transform: The run's transform, which turns scores into distributions.
        progress: Called with the number of prompts after each group.
    """
    model = backend.part
    groups = {f"{uid} {place}": each for uid, answers in kept for place, each in enumerate(answers)}
    found: list[Checked] = []
    if not isinstance(model, Model):
        raise InputError(f"{backend.name} asks no model")
    model.open()
    for answering, kind in METHODS.items():
        own = {name: each for name, each in groups.items() if _is_written(each) == (answering == "generate")}
        if own and not isinstance(model, kind):
            raise InputError(f"{backend.name} cannot {answering} any more")
        asked = (_named(each.group, name) for name, each in own.items())
        for result in getattr(model, answering)(asked) if own else ():
            found.append(_compared(own[result.uid], result, transform))
            progress(found[-1].prompts)
    return found


def _stored(turn: Turn, stored: Answers) -> Answer | None:
    return stored.scores(turn.key) if turn.answering == "score" else stored.texts(turn.key)


def _is_written(kept: Kept) -> bool:
    return isinstance(kept.answer, GeneratedTexts)


def _named(group: PromptGroup, name: str) -> PromptGroup:
    """Return the group under a unique name, because all turns of an item are asked at once."""
    return PromptGroup(name, group.prompts, group.decoding)


def _compared(kept: Kept, now: Answer | ScoringFailure, transform: Transform | None) -> Checked:
    uid, prompts, then = kept.group.uid, len(kept.group.prompts), kept.answer
    if isinstance(now, ScoringFailure):
        return Checked(uid, prompts, failure=now.reason)
    if isinstance(then, GeneratedTexts) and isinstance(now, GeneratedTexts):
        return Checked(uid, prompts, texts=sum(a != b for a, b in zip(then.texts, now.texts, strict=True)))
    if not (isinstance(then, OptionScores) and isinstance(now, OptionScores)) or then.scores.shape != now.scores.shape:
        return Checked(uid, prompts, failure="the answer is of another kind")
    probability = float(np.abs(softmax(then.scores, axis=1) - softmax(now.scores, axis=1)).max())
    return Checked(uid, prompts, _distance(then, now, transform), probability)


def _distance(then: OptionScores, now: OptionScores, transform: Transform | None) -> float:
    """Return the distance between the item's two distributions: 0 if neither exists, 1 if only one does."""
    before, after = (_distribution(scores, transform) for scores in (then, now))
    if before is None or after is None:
        return float(before is not after)
    return float(np.abs(before - after).sum() / 2)


def _distribution(scores: OptionScores, transform: Transform | None) -> FloatArray | None:
    try:
        return distribution_of(scores, transform)
    except (UndefinedTransformError, UninformativeError):
        return None


def _now(then: Origin, backend: OpenBackend, task: Task, registry: Registry) -> Origin:
    """Return what the run would depend on now."""
    environment = backend.part.environment() if isinstance(backend.part, Model) else {}
    template = {"name": task.template.name, "sha256": task.template.sha256}
    return replace(
        then,
        backend={**backend.description, "environment": environment},
        data={"items": task.digest, "files": dict(task.files)},
        prompts={**then.prompts, "template": template},
        versions=versions_of(session_record((), registry.plugins)),
    )
