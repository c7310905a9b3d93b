"""What a stored run asked: its prompts made again, and beside them the probabilities that came back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from judgeharness.analysis.bias import Bias, PromptShares, measure_bias
from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import FloatArray, GeneratedTexts, Item, OptionScores, Reading
from judgeharness.evaluation import trust
from judgeharness.evaluation.components import component
from judgeharness.evaluation.conversation import Turn, last_turn
from judgeharness.plugins import options
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.store.database import Store
from judgeharness.store.records import ComponentRecord
from judgeharness.store.runs import Run
from judgeharness.tasks.explanations import explained
from judgeharness.tasks.task import Task


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """An item's last prompts, and what came back.

    written: what the model wrote before, or what was read, in order. has_distribution: whether one came of it.
    """

    item: Item
    turn: Turn
    answer: OptionScores | Reading
    written: tuple[GeneratedTexts, ...]
    has_distribution: bool


def answered_again(run: Run, task: Task, registry: Registry, store: Store) -> Iterator[Answered]:
    """One for each item that was answered, also where no distribution came of it, from the answers in the store.

    Raises InputError for a run that asked nothing, and where the task is not what it was.
    """
    if run.strategy is None:
        raise InputError(f"run {run.id} of {run.backend} asked no prompts", "name a run of a model")
    strategy = _part(run, run.record.strategy, run.strategy, registry.strategies)
    given = run.record.explanations
    task = explained(task, None if given is None else store.explanations.find(given.set))
    items = {item.uid: item for item in task.items}
    for prediction in store.runs.predictions(run.id):
        if not (prediction.score_key or prediction.text_keys):
            continue
        item = items.get(prediction.uid)
        if item is None:
            raise InputError(f"run {run.id}: '{prediction.uid}' is no item of task {task.name} any more")
        turn = last_turn(strategy, item, task, run.backend_digest, store.answers.texts)
        answer = turn.reading or store.answers.scores(turn.key, (len(turn.group.prompts), len(task.labels)))
        if answer is None or (prediction.score_key or prediction.text_keys[-1]) != turn.key:
            raise InputError(
                f"run {run.id}: the prompts of '{prediction.uid}' are not what they were",
                "the task's data or wording, or the strategy, has changed since; run it again",
            )
        written = tuple(texts for key in turn.text_keys if (texts := store.answers.texts(key)) is not None)
        yield Answered(item, turn, answer, written, prediction.probabilities is not None)


def asked_again(run: Run, task: Task, registry: Registry, store: Store) -> Iterator[PromptShares]:
    """What each item that has a distribution was asked, under the run's transform. Raises as `answered_again`."""
    transform = None
    if run.transform is not None:
        transform = _part(run, run.record.transform, run.transform, registry.transforms)
    for each in answered_again(run, task, registry, store):
        if each.has_distribution:
            yield asked_of(each, transform)


def bias_of(run: Run, task: Task, registry: Registry, store: Store) -> Bias:
    """What a run's judge prefers. Raises as `asked_again`, and InputError where no item has a distribution."""
    asked = list(asked_again(run, task, registry, store))
    if not asked:
        raise InputError(f"run {run.id} has no item with a distribution")
    return measure_bias(asked)


def asked_of(answered: Answered, transform: Any) -> PromptShares:
    """What an item was asked, beside the probabilities that a transform makes of its scores, where it has scores."""
    answer, prompts = answered.answer, answered.turn.group.prompts
    informative = answer.read if isinstance(answer, Reading) else answer.informative
    rows: FloatArray = answer.probabilities if isinstance(answer, Reading) else transform(answer)
    explanations = np.array([prompt.explanations for prompt in prompts], dtype=np.int64).reshape(len(prompts), -1)
    return PromptShares(
        rows[informative],
        np.array([prompt.options for prompt in prompts])[informative],
        explanations[informative],
        np.array([explanation.label for explanation in answered.item.explanations], dtype=np.int64),
    )


def _part(run: Run, given: ComponentRecord | None, name: str, catalog: Catalog[Any]) -> Any:
    """A run's strategy or transform, with the options that its record has. Raises InputError for sensitive ones."""
    recorded = {} if given is None else given.options
    values = {name: options.word(value) for name, value in recorded.items() if value is not None}
    return component(catalog, name, trust.harmless(f"run {run.id}", catalog, name, values)).part
