"""Components by name, made ready: strategies and transforms with their options, backends, task definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from judgeharness.backends.contract import BackendContext, Description, Model, Predictor, Scorer, TextGenerator
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.hashes import digest
from judgeharness.domain.names import readable
from judgeharness.evaluation.contracts import behind_wall
from judgeharness.evaluation.executors.contract import Executor, Placing, Recipe
from judgeharness.metrics.measure import Measure
from judgeharness.plugins import options
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.plugins.specs import BackendSpec, MetricSpec
from judgeharness.plugins.walls import Wall
from judgeharness.tasks.definition import TaskDefinition, read_definition


@dataclass(frozen=True, slots=True)
class Named:
    """A strategy or transform under its name, with its options as they go into the record."""

    name: str
    part: Any
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class OpenBackend:
    """A backend under the name that the user gave it, with what it says of itself and the hash of that.

    values: the options that were given for it, as `-o` has them.
    """

    name: str
    part: Model | Predictor
    description: Description
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The hash under which its scores are stored."""
        return digest(dict(self.description))


def component(catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Named:
    """A component with those of the values that it knows, behind its wall. Raises as the catalog and the options do."""
    wall = catalog.wall(name)
    chosen = _chosen(wall, catalog.load_options(name), values, name)
    recorded = wall.call("its options", chosen.model_dump, mode="json")
    return Named(name, behind_wall(catalog.load(name)(chosen), wall), recorded)


def _chosen(wall: Wall, model: Any, values: Mapping[str, str], name: str) -> Any:
    return wall.call("its options", options.build, model, values, name)


def backend_spec(registry: Registry, name: str) -> tuple[BackendSpec, str]:
    """The spec behind `scheme:model`, and the model. Raises InputError."""
    scheme, colon, model = name.partition(":")
    spec = registry.backends.spec(scheme)
    if not colon:
        raise InputError(f"backend '{name}' names no model", f"write {scheme}:MODEL; 'judgeharness list models' helps")
    return spec, model


def open_backend(registry: Registry, name: str, values: Mapping[str, str], context: BackendContext) -> OpenBackend:
    """The backend `scheme:model`, described but with no weights loaded. Raises InputError and HarnessError."""
    spec, model = backend_spec(registry, name)
    known, wall = registry.backends.load_options(spec.name), registry.backends.wall(spec.name)
    made = registry.backends.load(spec.name)(model, _chosen(wall, known, values, spec.name), context)
    if not isinstance(made, Scorer | TextGenerator | Predictor):
        raise HarnessError(f"{wall.who} is neither a Scorer, nor a TextGenerator, nor a Predictor")
    part = behind_wall(made, wall)
    return OpenBackend(readable(name), part, part.describe(), options.accepted(known, values))


def placed(
    backend: OpenBackend, executor: Executor, plugins: Sequence[str], notify: Callable[[str], None]
) -> OpenBackend:
    """The backend where an executor has it answer; the same one where that is here. Raises HarnessError."""
    if not isinstance(executor, Placing) or not isinstance(backend.part, Model):
        return backend
    recipe = Recipe(backend=backend.name, values=backend.values, plugins=tuple(plugins))
    model = executor.place(backend.part, recipe, notify)
    return OpenBackend(backend.name, model, model.describe(), backend.values)


def is_file(task: str) -> bool:
    """Whether a task is named by the path of its file."""
    return task.endswith(".toml")


def task_definition(registry: Registry, name: str) -> TaskDefinition:
    """A task by name, or by the path of a TOML file. Raises InputError."""
    if is_file(name):
        return read_definition(Path(name).expanduser())
    definition = registry.tasks.load(name)()
    if not isinstance(definition, TaskDefinition):
        raise HarnessError(f"{registry.tasks.wall(name).who} gives no TaskDefinition: {type(definition).__name__}")
    return definition


def default_measures(registry: Registry, more: Sequence[str] = ()) -> dict[str, Measure]:
    """The metrics that are reported unasked, and those that are asked for besides, by name."""
    default = [spec.name for spec, _ in registry.metrics if spec.default]
    return {name: _measure(registry, name) for name in dict.fromkeys([*default, *more])}


def _measure(registry: Registry, name: str) -> Measure:
    spec: MetricSpec = registry.metrics.spec(name)
    resampled, ends = (
        None if target is None else registry.metrics.load_part(name, target)
        for target in (spec.resampled, spec.interval)
    )
    return Measure(spec, registry.metrics.load(name), resampled, ends)
