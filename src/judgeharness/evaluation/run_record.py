"""Make runs as they are stored: their id, record and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from judgeharness.backends.contract import Model
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.components import Component
from judgeharness.evaluation.plan import Step
from judgeharness.evaluation.resolving import Resolved
from judgeharness.evaluation.versions import EDITION
from judgeharness.metrics.kl import unexpected
from judgeharness.metrics.measure import Sample, applicable, measure
from judgeharness.plugins import options
from judgeharness.store.records import (
    ComponentRecord,
    ExplanationsRecord,
    RequestRecord,
    RunRecord,
    TemplateRecord,
)
from judgeharness.store.runs import Run
from judgeharness.tasks.explanations import ExplanationSet


@dataclass(frozen=True, slots=True)
class Recorder:
    """Makes the runs of a session.

    Attributes:
        session: The session's id.
        resolved: The resolved request.
        words: The name that the user gave each task, by the digests of its items and its wording.
        explanations: The set of explanations that replaces the tasks' own, if there is one.
    """

    session: str
    resolved: Resolved
    words: Mapping[tuple[str, str], str]
    explanations: ExplanationSet | None

    def run(
        self, step: Step, transform: Component | None, predictions: Sequence[Prediction], facts: Mapping[str, Any]
    ) -> Run:
        """Return the run of a step under a transform. `facts` are further fields of the record, such as timings."""
        task, strategy = step.task, step.strategy
        record = self._record(step, transform, predictions, facts)
        return Run(
            id=_run_id(step, record),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            session_id=self.session,
            task_digest=task.digest,
            task=task.name,
            split=task.split,
            backend=step.backend.name,
            backend_digest=step.backend.digest,
            strategy=strategy.name if strategy else None,
            transform=transform.name if transform else None,
            temperature=transform.options.get(options.TEMPERATURE) if transform else None,
            n_items=len(predictions),
            n_failed=sum(each.probabilities is None for each in predictions),
            metrics=measure(task.items, predictions, applicable(self.resolved.measures, task.definition.ordinal)),
            record=record,
        )

    def _record(
        self, step: Step, transform: Component | None, predictions: Sequence[Prediction], facts: Mapping[str, Any]
    ) -> RunRecord:
        template, given = step.task.template, self.explanations
        sample = Sample.of(step.task.items, predictions)
        more = dict(facts)
        if given is not None and step.strategy is not None:
            more["explanations"] = ExplanationsRecord(name=given.name, set=given.id)
        return RunRecord(
            strategy=_component_record(step.strategy),
            transform=_component_record(transform),
            template=TemplateRecord(name=template.name, sha256=template.sha256),
            environment=dict(step.backend.part.environment()) if isinstance(step.backend.part, Model) else {},
            edition=EDITION,
            request=self._request(step, transform),
            items_with_unexpected_labels=unexpected(sample.human, sample.model),
            **more,
        )

    def _request(self, step: Step, transform: Component | None) -> RequestRecord:
        request = self.resolved.request
        values = dict(step.backend.values)
        for part in (step.strategy, transform):
            given = () if part is None else part.values
            values |= {name: request.values[name] for name in given if name in request.values}
        return RequestRecord(
            task=self.words[step.task.digest, step.task.template.sha256],
            limit=request.limit,
            options=values,
            metrics=list(request.metrics),
        )


def _component_record(part: Component | None) -> ComponentRecord | None:
    return None if part is None else ComponentRecord(name=part.name, options=dict(part.options))


def _run_id(step: Step, record: RunRecord) -> str:
    """Return a hash of what a run is computed from. The same computation always has the same id."""
    components = [None if each is None else each.document() for each in (record.strategy, record.transform)]
    parts = [step.task.digest, step.task.template.sha256, step.backend.digest, *components]
    if record.explanations is not None:
        parts.append(record.explanations.set)
    return digest(parts)[:12]
