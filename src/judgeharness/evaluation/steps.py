"""Carry out a step of an evaluation: ask a model, and turn its answers into predictions."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.contract import Metered, Model
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.asking import Outcome, complete
from judgeharness.evaluation.components import Component
from judgeharness.evaluation.plan import Plan, Step
from judgeharness.evaluation.predicting import Predicted, predict
from judgeharness.evaluation.progress import Watcher
from judgeharness.evaluation.resolving import Resolved
from judgeharness.store.answer_store import AnswerStore

Made = tuple[Component | None, Sequence[Prediction], Mapping[str, Any]]
"""The result of a step under a transform: the transform, its predictions, and facts about the run."""


@dataclass(slots=True)
class Steps:
    """Carries out steps.

    Attributes:
        resolved: The resolved request.
        watcher: Is told about progress.
        unanswered: How many prompt groups of a shard are unanswered.
    """

    resolved: Resolved
    watcher: Watcher
    unanswered: int = 0

    def ask(self, step: Step, plan: Plan, model: Model, kept: AnswerStore) -> list[Made]:
        """Ask a model, and return the result of each transform, or nothing for a shard. Raises as the model does."""
        begun = time.monotonic()
        done, plan = complete(plan, model, self.resolved.executor.part, kept, step.name, self.watcher)
        if self.resolved.request.shard is not None:
            self._note_shard(step, done)
            return []
        facts: dict[str, Any] = {
            "prompts": sum(item.prompts for item in plan.items.values()),
            "prompts_scored": done.prompts,
            "seconds_scoring": round(time.monotonic() - begun, 3),
        }
        if isinstance(model, Metered):
            facts["requests"], facts["tokens"] = kept.store.journal.spent([kept.scope])
        transforms = self.resolved.transforms_of(plan.strategy)
        parts = [None if transform is None else transform.part for transform in transforms]
        predicted = predict(plan, parts, kept.answers, done.failures)
        return self._defined(step, transforms, predicted, facts | predicted.tally.facts())

    def _defined(
        self, step: Step, transforms: Sequence[Component | None], predicted: Predicted, facts: dict[str, Any]
    ) -> list[Made]:
        """Return the result of each transform. Undefined default transforms are left out, and the user is told."""
        kept: list[Made] = []
        each_made = zip(transforms, predicted.predictions, predicted.undefined, strict=True)
        for transform, predictions, undefined in each_made:
            if undefined and transform is not None and not self.resolved.request.transforms:
                self.watcher.note(
                    f"{step.name}: {transform.name} is left out, undefined for {len(undefined)} of {len(predictions)} "
                    f"items ({undefined[0]})"
                )
                continue
            kept.append((transform, predictions, facts))
        if kept and all(each.probabilities is None for _, predictions, _ in kept for each in predictions):
            reasons = [each.failure for each in predicted.predictions[0] if each.failure]
            self.watcher.note(f"{step.name}: no item has a distribution: {reasons[0]}")
        return kept

    def _note_shard(self, step: Step, done: Outcome) -> None:
        self.unanswered += len(done.failures)
        answered = f"{len(step.task.items) - len(done.failures):,} of {len(step.task.items):,} items are answered"
        reason = next((f"; the others: {reason}" for reason in done.failures.values()), "")
        self.watcher.note(f"{step.name}: shard {self.resolved.request.shard}: {answered}{reason}")
