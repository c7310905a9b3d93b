"""Run an evaluation: resolve the request, read the tasks, ask the models, store the runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from judgeharness.backends.closing import close
from judgeharness.backends.contract import Model, Predictor
from judgeharness.domain.hashes import digest
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.components import Choice, Component, OpenBackend, is_file, placed
from judgeharness.evaluation.plan import Step, make_plan
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.resolving import resolve
from judgeharness.evaluation.run_record import Recorder
from judgeharness.evaluation.steps import Made, Steps
from judgeharness.evaluation.versions import session_record
from judgeharness.evaluation.workspace import Workspace
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.loading import whole_paths
from judgeharness.store.answer_store import Account, AnswerStore
from judgeharness.store.database import Store
from judgeharness.store.runs import Run
from judgeharness.tasks.explanations import ExplanationSet, explained
from judgeharness.tasks.task import Task


class Evaluation:
    """A request being carried out. Creating one checks all names and options, before anything is read or asked."""

    def __init__(self, request: Request, workspace: Workspace) -> None:
        self._workspace = workspace
        self._watcher = workspace.watcher()
        self._session = secrets.token_hex(6)
        self._resolved = resolve(request, workspace.registry)
        self._explanations: ExplanationSet | None = None
        self._tasks: list[Task] = []
        self._backends: list[OpenBackend] = []
        self._carried = Steps(self._resolved, self._watcher)
        self._predictions: dict[tuple[str, str], tuple[Prediction, ...]] = {}

    @property
    def measures(self) -> dict[str, Measure]:
        """The metrics of its runs, by name."""
        return self._resolved.measures

    @property
    def unanswered(self) -> int:
        """How many prompt groups of a shard are unanswered after `run`."""
        return self._carried.unanswered

    @property
    def tasks(self) -> Sequence[Task]:
        """The tasks, once they have been read."""
        return self._tasks

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes under which requests are counted: one for each model, task and strategy, once prepared."""
        models = [backend for backend in self._backends if isinstance(backend.part, Model)]
        return frozenset(
            self._scope(task, backend, strategy)
            for backend in models
            for task in self._tasks
            for strategy in self._resolved.strategies
        )

    def prepare(self) -> None:
        """Read the tasks, check that strategies and backends fit them, and run the predictors.

        No weights are loaded. Raises InputError and HarnessError.
        """
        request, workspace = self._resolved.request, self._workspace
        loaded = [workspace.load(each, request.split).limited(request.limit) for each in self._resolved.definitions]
        self._explanations = workspace.explanations(request.explanations)
        self._tasks = [explained(task, self._explanations) for task in loaded]
        for task in self._tasks:
            for name, count in task.blanks.items():
                self._watcher.note(f"{task.name}: {count:,} of {len(task.items):,} items have an empty '{name}'")
            self._resolved.require_fit(task)
        try:
            for choice in self._resolved.backends:
                self._open(choice)
        except BaseException:
            self._close()
            raise

    def run(self, store: Store, scopes: frozenset[str] = frozenset()) -> list[Run]:
        """Plan, ask, measure and store. Returns the runs in the order of the request; a shard has none.

        Answers stay in the store whatever happens, so the same request resumes from there.

        Args:
            store: The store for answers and runs.
            scopes: The scopes of other evaluations that share the budget.

        Raises:
            InputError, HarnessError: Raised by components, models and the store.
        """
        account = Account(self._resolved.request.budget, self.scopes | scopes)
        record = session_record(self._resolved.request.arguments, self._workspace.registry.plugins)
        pairs = [(task, backend) for backend in self._backends for task in self._tasks]
        steps = [step for pair in pairs for step in self._steps(*pair, store)]
        with store.sessions.recorded(self._session, record):
            try:
                return self._carry_out(steps, store, account)
            finally:
                self._close()

    def _open(self, choice: Choice) -> None:
        resolved, registry = self._resolved, self._workspace.registry
        backend = choice.open(resolved.request.values, self._workspace.backend_context(self._watcher))
        resolved.require_able(backend, registry)
        backend = placed(backend, resolved.executor.part, whole_paths(registry.given), self._watcher.note)
        self._backends.append(backend)
        if isinstance(backend.part, Predictor):
            for task in self._tasks:
                self._predictions[backend.name, task.digest] = _predictions(task, backend.part)

    def _close(self) -> None:
        # Close in reverse order, because a backend may use one that was opened before it.
        close(backend.part for backend in reversed(self._backends))

    def _steps(self, task: Task, backend: OpenBackend, store: Store) -> list[Step]:
        model = backend.part
        if not isinstance(model, Model):
            return [Step(task, backend, predictions=self._predictions[backend.name, task.digest])]
        shard = self._resolved.request.shard
        asked = task if shard is None else replace(task, items=shard.part(task.items))
        return [
            Step(asked, backend, strategy, make_plan(asked, strategy.part, model, backend.digest, store.answers))
            for strategy in self._resolved.strategies
        ]

    def _carry_out(self, steps: Sequence[Step], store: Store, account: Account) -> list[Run]:
        for task in self._tasks:
            store.runs.add_task(task)
        for backend in self._backends:
            store.answers.add_backend(backend.digest, backend.description)
        if self._explanations is not None:
            self._explanations = store.explanations.add(self._explanations, self._session)
        self._watcher.planned(steps)
        recorder = Recorder(self._session, self._resolved, self._words(), self._explanations)
        runs: list[Run] = []
        made: list[Made]
        for step in steps:
            if step.plan is not None and step.strategy is not None and isinstance(step.backend.part, Model):
                kept = AnswerStore(
                    store=store,
                    backend_digest=step.backend.digest,
                    session_id=self._session,
                    scope=self._scope(step.task, step.backend, step.strategy),
                    account=account,
                )
                made = self._carried.ask(step, step.plan, step.backend.part, kept)
            else:
                made = [(None, step.predictions, {})]
            for transform, predictions, facts in made:
                run = recorder.run(step, transform, predictions, facts)
                store.runs.save(run, predictions)
                runs.append(run)
        return runs

    def _words(self) -> dict[tuple[str, str], str]:
        """Return the name of each task in a form that works from any folder."""
        return {
            (task.digest, task.template.sha256): str(Path(word).expanduser().resolve()) if is_file(word) else word
            for task, word in zip(self._tasks, self._resolved.request.tasks, strict=True)
        }

    def _scope(self, task: Task, backend: OpenBackend, strategy: Component) -> str:
        given = None if self._explanations is None else self._explanations.id
        return digest([task.name, task.split, backend.digest, strategy.name, dict(strategy.options), given])


def _predictions(task: Task, predictor: Predictor) -> tuple[Prediction, ...]:
    rows = predictor.predict(task.items, task.labels)
    return tuple(Prediction(item.uid, tuple(row)) for item, row in zip(task.items, rows.tolist(), strict=True))
