"""Resolve the names in a request to components. Every wrong name or option is found before anything else is done."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.contract import METHODS, Answering, Predictor
from judgeharness.domain.errors import InputError
from judgeharness.evaluation.components import (
    Choice,
    Component,
    OpenBackend,
    choose,
    choose_backend,
    default_measures,
    require_known,
    task_definition,
)
from judgeharness.evaluation.request import DEFAULT_TRANSFORMS, Request
from judgeharness.metrics.measure import Measure, applicable
from judgeharness.plugins import options
from judgeharness.plugins.registry import Registry
from judgeharness.strategies.contract import Strategy, WritingStrategy
from judgeharness.tasks.definition import TaskDefinition
from judgeharness.tasks.task import Task

NEEDS: dict[Answering, str] = {"score": "option scores", "generate": "generated answers"}


@dataclass(frozen=True, slots=True)
class Resolved:
    """A request with components in place of names. Backends have been chosen, but not made."""

    request: Request
    definitions: tuple[TaskDefinition, ...]
    backends: tuple[Choice, ...]
    strategies: tuple[Component, ...]
    transforms: tuple[Component, ...]
    executor: Component
    measures: dict[str, Measure]

    def transforms_of(self, strategy: Strategy) -> tuple[Component | None, ...]:
        """Return the transforms for a strategy: only None if the strategy reads distributions from text."""
        reads = isinstance(strategy, WritingStrategy) and strategy.ends_in == "reading"
        return (None,) if reads else self.transforms

    def require_fit(self, task: Task) -> None:
        """Raise InputError if a metric or a strategy does not fit a task."""
        left = self.measures.keys() - applicable(self.measures, task.definition.ordinal).keys()
        if left:
            raise InputError(
                f"metric {', '.join(sorted(left))} is for labels with an order, and those of {task.name} have none",
                "a task says so with 'ordinal = true'",
            )
        for strategy in self.strategies:
            strategy.part.check(task)

    def require_able(self, backend: OpenBackend, registry: Registry) -> None:
        """Raise InputError if a backend cannot answer as the strategies need, or cannot be used in this request."""
        if isinstance(backend.part, Predictor):
            if self.request.shard is not None:
                raise InputError(f"{backend.name} asks no prompts: there is nothing to share out with --shard")
            return
        if not self.strategies:
            known = ", ".join(registry.strategies.names())
            raise InputError(f"{backend.name} needs at least one --strategy", f"known: {known}")
        for strategy in self.strategies:
            _require_able(backend, strategy)


def resolve(request: Request, registry: Registry) -> Resolved:
    """Resolve the names in a request. Raises InputError if a name, an option or a value is wrong."""
    names = tuple(request.transforms) or DEFAULT_TRANSFORMS
    backends = tuple(choose_backend(registry, name) for name in request.backends)
    strategies = [choose(registry.strategies, name) for name in request.strategies]
    transforms = [choose(registry.transforms, name) for name in names]
    executor = choose(registry.executors, request.executor)
    require_known(request.values, [*backends, *strategies, *transforms, executor])
    if request.temperature is not None and not (math.isfinite(request.temperature) and request.temperature > 0):
        raise InputError("--temperature: must be greater than 0")
    if request.temperature is not None and not any(_has_temperature(each) for each in transforms):
        raise InputError(f"--temperature: none of the transforms {', '.join(names)} has a temperature")
    tempered = options.with_temperature(request.values, request.temperature)
    return Resolved(
        request=request,
        definitions=tuple(task_definition(registry, name) for name in request.tasks),
        backends=backends,
        strategies=tuple(each.make(request.values) for each in strategies),
        transforms=tuple(each.make(tempered) for each in transforms),
        executor=executor.make(request.values),
        measures=default_measures(registry, request.metrics),
    )


def _has_temperature(transform: Choice) -> bool:
    model: Any = transform.option_model
    return model is not None and options.TEMPERATURE in model.model_fields


def _require_able(backend: OpenBackend, strategy: Component) -> None:
    part = strategy.part
    writes = isinstance(part, WritingStrategy)
    needed: list[Answering] = ["generate"] if writes else ["score"]
    if writes and part.ends_in == "scores":
        needed.append("score")
    for answering in needed:
        if not isinstance(backend.part, METHODS[answering]):
            raise InputError(f"strategy {strategy.name} needs {NEEDS[answering]}, and {backend.name} gives none")
