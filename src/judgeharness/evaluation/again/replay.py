"""What a stored run asked: its prompts, rebuilt, with the probabilities that the model returned."""

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
    """An item's last prompts, and the answer to them.

    Attributes:
        item: The item.
        turn: Its last prompt group.
        answer: The scores, or the distributions that the strategy read from generated text.
        written: All texts that the model generated for the item, in order.
        has_distribution: Whether the run has a distribution for the item.
    """

    item: Item
    turn: Turn
    answer: OptionScores | Reading
    written: tuple[GeneratedTexts, ...]
    has_distribution: bool


def answered_again(run: Run, task: Task, registry: Registry, store: Store) -> Iterator[Answered]:
    """Yield each item that was answered, with its stored answer, even if the answer gave no distribution.

    Raises:
        InputError: The run asked no prompts, or the task, its wording or the strategy has changed since.
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
            raise InputError(f"run {run.id}: '{prediction.uid}' is not an item of task {task.name} any more")
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
    """Yield the prompts and probabilities of each item with a distribution. Raises as `answered_again`."""
    transform = None
    if run.transform is not None:
        transform = _part(run, run.record.transform, run.transform, registry.transforms)
    for each in answered_again(run, task, registry, store):
        if each.has_distribution:
            yield asked_of(each, transform)


def bias_of(run: Run, task: Task, registry: Registry, store: Store) -> Bias:
    """Return the biases of a run's judge. Raises as `asked_again`, and InputError if no item has a distribution."""
    asked = list(asked_again(run, task, registry, store))
    if not asked:
        raise InputError(f"run {run.id} has no item with a distribution")
    return measure_bias(asked)


def asked_of(answered: Answered, transform: Any) -> PromptShares:
    """Return an item's prompts with the probabilities after each. The transform is used only for scores."""
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
    """Return a run's strategy or transform with its recorded options. Raises InputError if an option is sensitive."""
    recorded = {} if given is None else given.options
    values = {name: options.word(value) for name, value in recorded.items() if value is not None}
    return component(catalog, name, trust.harmless(f"run {run.id}", catalog, name, values)).part
