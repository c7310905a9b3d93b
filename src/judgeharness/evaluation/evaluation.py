"""An evaluation: what was asked for by name is resolved, planned, scored, measured and stored."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from judgeharness.backends.closing import close
from judgeharness.backends.contract import METHODS, Answering, BackendContext, Budget, Metered, Model, Predictor
from judgeharness.domain.errors import InputError
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation import asking
from judgeharness.evaluation.asking import Progress
from judgeharness.evaluation.components import (
    Named,
    OpenBackend,
    backend_spec,
    component,
    default_measures,
    is_file,
    open_backend,
    placed,
    task_definition,
)
from judgeharness.evaluation.executors.contract import Executor
from judgeharness.evaluation.plan import Work, plan
from judgeharness.evaluation.shards import Shard
from judgeharness.evaluation.versions import EDITION, session_record
from judgeharness.metrics.kl import unexpected
from judgeharness.metrics.measure import applicable, measure, paired
from judgeharness.plugins import options
from judgeharness.plugins.loading import whole_paths
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.store.answer_store import Account, AnswerStore
from judgeharness.store.database import Store, given_explanations
from judgeharness.store.records import ComponentRecord, ExplanationsRecord, RequestRecord, RunRecord, TemplateRecord
from judgeharness.store.runs import Run
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.explanations import ExplanationSet, explained
from judgeharness.tasks.fetch import MeterFactory
from judgeharness.tasks.task import Task, load_task

DEFAULT_TRANSFORMS = ("norm", "softmax")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be evaluated, by name.

    transforms: none for the default ones, of which those that the scores do not allow are left out. metrics: besides
    the default ones. temperature: of every transform that has one. values: options of backends, strategies,
    transforms and the executor. limit: the first items only. shard: a part of these items is asked, and no run is made:
    the whole does that from the store. budget: of models that are paid by the request; what earlier calls spent on the
    same counts. explanations: "human" for the tasks' own, else a file of
    others or the id of a set in the store. arguments: the command line, for the record.
    """

    tasks: Sequence[str]
    backends: Sequence[str]
    strategies: Sequence[str] = ()
    transforms: Sequence[str] = ()
    metrics: Sequence[str] = ()
    temperature: float | None = None
    values: Mapping[str, str]
    limit: int | None = None
    split: str | None = None
    executor: str = "local"
    shard: Shard | None = None
    budget: Budget = field(default_factory=Budget)
    explanations: str = "human"
    arguments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One task for one backend under one strategy.

    A model's step has a strategy and work, a predictor's has its predictions at once.
    """

    task: Task
    backend: OpenBackend
    strategy: Named | None = None
    work: Work | None = None
    predictions: tuple[Prediction, ...] = ()

    @property
    def name(self) -> str:
        """Task, backend and strategy, for people."""
        names = (self.task.name, self.backend.name, self.strategy.name if self.strategy else "")
        return " · ".join(name for name in names if name)


class Watcher(Progress, Protocol):
    """What wants to know how an evaluation goes: the console, or nobody."""

    def planned(self, steps: Sequence[Step]) -> None:
        """Before anything is asked."""

    def note(self, text: str) -> None:
        """Something to tell the user: what an alias resolved to, what was left out."""


class Evaluation:
    """Resolves a request, so that every wrong name is found first; then reads and checks; then asks.

    store: where explanations are looked for; nothing is written to it before `run`.
    """

    def __init__(
        self, request: Request, registry: Registry, folders: DataFolders, cache: Path, watcher: Watcher, store: Path
    ) -> None:
        self._request = request
        self._registry = registry
        self._folders = folders
        self._context = BackendContext(cache, watcher.note)
        self._watcher = watcher
        self._store_path = store
        self._session = secrets.token_hex(6)
        self._transform_names = tuple(request.transforms) or DEFAULT_TRANSFORMS
        self._require_known_options()
        self._definitions = [task_definition(registry, name) for name in request.tasks]
        self._strategies = [component(registry.strategies, name, request.values) for name in request.strategies]
        self._transforms = [self._transform(name) for name in self._transform_names]
        self.measures = default_measures(registry, request.metrics)
        self._executor: Executor = component(registry.executors, request.executor, request.values).part
        self._explanations: ExplanationSet | None = None
        self._tasks: list[Task] = []
        self._backends: list[OpenBackend] = []
        self._predictions: dict[tuple[str, str], tuple[Prediction, ...]] = {}
        self._words: dict[tuple[str, str], str] = {}
        self._unanswered = 0
        self._account = Account()

    @property
    def unanswered(self) -> int:
        """How many groups of a shard have no answer after `run`."""
        return self._unanswered

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks, once they were read."""
        return self._tasks

    def prepare(self, meters: MeterFactory) -> None:
        """Read the tasks, check that strategies and backends fit them, and let predictors predict.

        No weights are loaded. Raises InputError and HarnessError.
        """
        request = self._request
        loaded = (load_task(each, self._folders, meters, request.split) for each in self._definitions)
        self._explanations = given_explanations(request.explanations, self._store_path)
        self._tasks = [explained(task.limited(request.limit), self._explanations) for task in loaded]
        self._words = {
            (task.digest, task.template.sha256): str(Path(word).expanduser().resolve()) if is_file(word) else word
            for task, word in zip(self._tasks, request.tasks, strict=True)
        }
        for task in self._tasks:
            for name, count in task.blanks.items():
                self._watcher.note(f"{task.name}: {count:,} of {len(task.items):,} items have an empty '{name}'")
            self._require_applicable(task)
            for strategy in self._strategies:
                strategy.part.check(task)
        try:
            for name in request.backends:
                self._backends.append(self._opened(name))
                self._check(self._backends[-1])
        except BaseException:
            self._close()
            raise

    @property
    def scopes(self) -> frozenset[str]:
        """What requests are spent on, once all is prepared: every task under every strategy by each model."""
        models = [backend for backend in self._backends if isinstance(backend.part, Model)]
        return frozenset(
            self._scope(task, backend, strategy)
            for backend in models
            for task in self._tasks
            for strategy in self._strategies
        )

    def run(self, store: Store, scopes: frozenset[str] = frozenset()) -> list[Run]:
        """Plan, ask, measure and store; the runs in the order that was asked for. A shard has none.

        What was answered stays in the store whatever happens: the same request goes on from there. scopes: of other
        evaluations that the budget is for as well. Raises InputError and HarnessError.
        """
        self._account = Account(self._request.budget, self.scopes | scopes)
        steps = self._plan(store)
        record = session_record(self._request.arguments, self._registry.plugins)
        with store.sessions.recorded(self._session, record):
            try:
                return self._carry_out(steps, store)
            finally:
                self._close()

    def _opened(self, name: str) -> OpenBackend:
        backend = open_backend(self._registry, name, self._request.values, self._context)
        if not isinstance(backend.part, Predictor):
            self._require_askable(backend)
        return placed(backend, self._executor, whole_paths(self._registry.given), self._watcher.note)

    def _close(self) -> None:
        # What was opened on top of something else goes first.
        close(backend.part for backend in reversed(self._backends))

    def _check(self, backend: OpenBackend) -> None:
        if isinstance(backend.part, Predictor):
            if self._request.shard is not None:
                raise InputError(f"{backend.name} asks no prompts: there is nothing to share out with --shard")
            for task in self._tasks:
                self._predictions[backend.name, task.digest] = _predictions(task, backend.part)

    def _require_askable(self, backend: OpenBackend) -> None:
        if not self._strategies:
            known = ", ".join(self._registry.strategies.names())
            raise InputError(f"{backend.name} needs at least one --strategy", f"known: {known}")
        for strategy in self._strategies:
            _require_able(backend, strategy)

    def _require_applicable(self, task: Task) -> None:
        left = self.measures.keys() - applicable(self.measures, task.definition.ordinal).keys()
        if left:
            raise InputError(
                f"metric {', '.join(sorted(left))} is for labels with an order, and those of {task.name} have none",
                "a task says so with 'ordinal = true'",
            )

    def _measured(self, task: Task, predictions: Sequence[Prediction]) -> dict[str, float | None]:
        return measure(task.items, predictions, applicable(self.measures, task.definition.ordinal))

    def _require_known_options(self) -> None:
        request, registry = self._request, self._registry
        schemes = [backend_spec(registry, name)[0].name for name in request.backends]
        named: list[tuple[Catalog[Any], str]] = [
            *((registry.backends, name) for name in schemes),
            *((registry.strategies, name) for name in request.strategies),
            *((registry.transforms, name) for name in self._transform_names),
            (registry.executors, request.executor),
        ]
        models = {f"{catalog.kind} {name}": catalog.load_options(name) for catalog, name in named}
        options.require_known(request.values, models)
        tempered = [options.TEMPERATURE in _fields(models[f"transform {name}"]) for name in self._transform_names]
        if request.temperature is not None and not any(tempered):
            names = ", ".join(self._transform_names)
            raise InputError(f"--temperature: none of the transforms {names} has a temperature")

    def _transform(self, name: str) -> Named:
        values = options.with_temperature(self._request.values, self._request.temperature)
        return component(self._registry.transforms, name, values)

    def _plan(self, store: Store) -> list[Step]:
        return [
            step for backend in self._backends for task in self._tasks for step in self._steps(task, backend, store)
        ]

    def _steps(self, task: Task, backend: OpenBackend, store: Store) -> list[Step]:
        model = backend.part
        if not isinstance(model, Model):
            return [Step(task, backend, predictions=self._predictions[backend.name, task.digest])]
        shard = self._request.shard
        asked = task if shard is None else replace(task, items=shard.part(task.items))
        return [
            Step(asked, backend, strategy, plan(asked, strategy.part, model, backend.digest, store.answers))
            for strategy in self._strategies
        ]

    def _carry_out(self, steps: Sequence[Step], store: Store) -> list[Run]:
        for task in self._tasks:
            store.runs.add_task(task)
        for backend in self._backends:
            store.answers.add_backend(backend.digest, backend.description)
        if self._explanations is not None:
            self._explanations = store.explanations.add(self._explanations, self._session)
        self._watcher.planned(steps)
        runs: list[Run] = []
        for step in steps:
            if step.work is not None and step.strategy is not None and isinstance(step.backend.part, Model):
                runs += self._asked(step, step.work, step.strategy.part, step.backend.part, store)
            else:
                runs.append(self._save(step, None, step.predictions, {}, store))
        return runs

    def _asked(self, step: Step, work: Work, strategy: Strategy, model: Model, store: Store) -> list[Run]:
        begun = time.monotonic()
        kept = self._answer_store(step, store)
        done, work = asking.complete(work, model, self._executor, kept, step.name, self._watcher)
        if self._request.shard is not None:
            self._note_shard(step, self._request.shard, done)
            return []
        facts: dict[str, Any] = {
            "prompts": sum(stand.prompts for stand in work.stands.values()),
            "prompts_scored": done.prompts,
            "seconds_scoring": round(time.monotonic() - begun, 3),
        }
        if isinstance(model, Metered):
            facts["requests"], facts["tokens"] = store.journal.spent([kept.scope])
        transforms = self._transforms_of(strategy)
        parts = [None if transform is None else transform.part for transform in transforms]
        predicted = asking.predict(work, parts, store.answers, done.failures)
        facts |= predicted.tally.facts()
        runs = []
        for transform, predictions, undefined in zip(
            transforms, predicted.predictions, predicted.undefined, strict=True
        ):
            if undefined and transform is not None and not self._request.transforms:
                self._watcher.note(
                    f"{step.name}: {transform.name} is left out, undefined for {len(undefined)} of {len(predictions)} "
                    f"items ({undefined[0]})"
                )
                continue
            runs.append(self._save(step, transform, predictions, facts, store))
        self._explain_failure(step, runs, predicted.predictions[0])
        return runs

    def _answer_store(self, step: Step, store: Store) -> AnswerStore:
        scope = "" if step.strategy is None else self._scope(step.task, step.backend, step.strategy)
        return AnswerStore(
            store=store,
            backend_digest=step.backend.digest,
            session_id=self._session,
            scope=scope,
            account=self._account,
        )

    def _scope(self, task: Task, backend: OpenBackend, strategy: Named) -> str:
        given = None if self._explanations is None else self._explanations.id
        return digest([task.name, task.split, backend.digest, strategy.name, dict(strategy.options), given])

    def _note_shard(self, step: Step, shard: Shard, done: asking.Outcome) -> None:
        self._unanswered += len(done.failures)
        answered = f"{len(step.task.items) - len(done.failures):,} of {len(step.task.items):,} items are answered"
        reason = next((f"; the others: {reason}" for reason in done.failures.values()), "")
        self._watcher.note(f"{step.name}: shard {shard}: {answered}{reason}")

    def _transforms_of(self, strategy: Strategy) -> Sequence[Named | None]:
        """None alone where a strategy reads distributions from texts: there is nothing to transform."""
        reads = isinstance(strategy, WritingStrategy) and strategy.ends_in == "reading"
        return [None] if reads else self._transforms

    def _explain_failure(self, step: Step, runs: Sequence[Run], predictions: Sequence[Prediction]) -> None:
        if runs and all(run.n_failed == run.n_items for run in runs):
            reasons = list(dict.fromkeys(each.failure for each in predictions if each.failure))
            self._watcher.note(f"{step.name}: no item has a distribution: {reasons[0]}")

    def _asked_for(self, step: Step, transform: Named | None) -> RequestRecord:
        """What it takes to ask for a run again, besides the names that it has."""
        request, registry = self._request, self._registry
        values = dict(step.backend.values)
        if step.strategy is not None:
            values |= options.accepted(registry.strategies.load_options(step.strategy.name), request.values)
        if transform is not None:
            values |= options.accepted(registry.transforms.load_options(transform.name), request.values)
        return RequestRecord(
            task=self._words[step.task.digest, step.task.template.sha256],
            limit=request.limit,
            options=values,
            metrics=list(request.metrics),
        )

    def _save(
        self,
        step: Step,
        transform: Named | None,
        predictions: Sequence[Prediction],
        facts: Mapping[str, Any],
        store: Store,
    ) -> Run:
        more: dict[str, Any] = {"request": self._asked_for(step, transform)}
        given = self._explanations
        if given is not None and step.strategy is not None:
            more["explanations"] = ExplanationsRecord(name=given.name, set=given.id)
        more["items_with_unexpected_labels"] = unexpected(*paired(step.task.items, predictions))
        record = _record(step, transform, {**facts, **more})
        run = Run(
            id=_run_id(step, record),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            session_id=self._session,
            task_digest=step.task.digest,
            task=step.task.name,
            split=step.task.split,
            backend=step.backend.name,
            backend_digest=step.backend.digest,
            strategy=step.strategy.name if step.strategy else None,
            transform=transform.name if transform else None,
            temperature=transform.options.get(options.TEMPERATURE) if transform else None,
            n_items=len(predictions),
            n_failed=sum(each.probabilities is None for each in predictions),
            metrics=self._measured(step.task, predictions),
            record=record,
        )
        store.runs.save(run, predictions)
        return run


def _require_able(backend: OpenBackend, strategy: Named) -> None:
    """Raises InputError where a backend cannot answer in a way that a strategy asks for."""
    part = strategy.part
    writes = isinstance(part, WritingStrategy)
    needed: list[Answering] = ["generate"] if writes else ["score"]
    if writes and part.ends_in == "scores":
        needed.append("score")
    for answering in needed:
        if not isinstance(backend.part, METHODS[answering]):
            what = {"score": "option scores", "generate": "written answers"}[answering]
            raise InputError(f"strategy {strategy.name} needs {what}, and {backend.name} gives none")


def _run_id(step: Step, record: RunRecord) -> str:
    """A hash of what a run is computed from: the same again has the same id."""
    components = [None if each is None else each.document() for each in (record.strategy, record.transform)]
    parts = [step.task.digest, step.task.template.sha256, step.backend.digest, *components]
    if record.explanations is not None:
        parts.append(record.explanations.set)
    return digest(parts)[:12]


def _predictions(task: Task, predictor: Predictor) -> tuple[Prediction, ...]:
    rows = predictor.predict(task.items, task.labels)
    return tuple(Prediction(item.uid, tuple(row)) for item, row in zip(task.items, rows.tolist(), strict=True))


def _record(step: Step, transform: Named | None, facts: Mapping[str, Any]) -> RunRecord:
    return RunRecord(
        strategy=_component_record(step.strategy),
        transform=_component_record(transform),
        template=TemplateRecord(name=step.task.template.name, sha256=step.task.template.sha256),
        environment=dict(step.backend.part.environment()) if isinstance(step.backend.part, Model) else {},
        edition=EDITION,
        **facts,
    )


def _component_record(part: Named | None) -> ComponentRecord | None:
    return None if part is None else ComponentRecord(name=part.name, options=dict(part.options))


def _fields(model: Any) -> Mapping[str, Any]:
    return {} if model is None else model.model_fields
