"""What a stored run asked: its prompts made again, and beside them the probabilities that came back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from judgeharness import options
from judgeharness.bias import Asked, Bias, measure_bias
from judgeharness.components import component
from judgeharness.content import group_digest
from judgeharness.domain import Item, OptionScores, PromptGroup
from judgeharness.errors import InputError
from judgeharness.registry import Registry
from judgeharness.store.database import Store
from judgeharness.store.runs import Run
from judgeharness.tasks.task import Task


def asked_again(run: Run, task: Task, registry: Registry, store: Store) -> Iterator[Asked]:
    """One for each item that has a distribution, from the scores in the store.

    Raises InputError for a run that asked nothing, and where the task is not what it was.
    """
    if run.strategy is None or run.transform is None:
        raise InputError(f"run {run.id} of {run.backend} asked no prompts", "name a run of a model")
    strategy = component(registry.strategies, run.strategy, _given(run.record["strategy"])).part
    transform = component(registry.transforms, run.transform, _given(run.record["transform"])).part
    items = {item.uid: item for item in task.items}
    for prediction in store.runs.predictions(run.id):
        if prediction.probabilities is None or prediction.score_key is None:
            continue
        item = items.get(prediction.uid)
        group = None if item is None else strategy.group(item, task)
        scores = store.scores.get(prediction.score_key)
        if item is None or group is None or scores is None:
            raise InputError(f"run {run.id}: '{prediction.uid}' is no item of task {task.name} any more")
        if group_digest(group, run.backend_digest) != prediction.score_key:
            raise InputError(
                f"run {run.id}: the prompts of '{prediction.uid}' are not what they were",
                "the task's data or wording, or the strategy, has changed since; run it again",
            )
        yield _asked(item, group, scores, transform)


def bias_of(run: Run, task: Task, registry: Registry, store: Store) -> Bias:
    """What a run's judge prefers. Raises as `asked_again`, and InputError where no item has a distribution."""
    asked = list(asked_again(run, task, registry, store))
    if not asked:
        raise InputError(f"run {run.id} has no item with a distribution")
    return measure_bias(asked)


def _asked(item: Item, group: PromptGroup, scores: OptionScores, transform: Any) -> Asked:
    informative = scores.informative
    prompts = group.prompts
    explanations = np.array([prompt.explanations for prompt in prompts], dtype=np.int64).reshape(len(prompts), -1)
    return Asked(
        transform(scores)[informative],
        np.array([prompt.options for prompt in prompts])[informative],
        explanations[informative],
        np.array([explanation.label for explanation in item.explanations], dtype=np.int64),
    )


def _given(record: Mapping[str, Any]) -> dict[str, str]:
    """The options of a component as `-o` would give them."""
    return {name: options.word(value) for name, value in record["options"].items() if value is not None}
