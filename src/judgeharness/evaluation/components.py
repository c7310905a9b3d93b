"""Components by name, made ready: strategies and transforms with their options, backends, task definitions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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
class Component:
    """A strategy, transform or executor under its name.

    Attributes:
        options: All of its options, as they go into the record.
        values: Those that were given, as `-o` has them.
    """

    name: str
    part: Any
    options: Mapping[str, Any]
    values: Mapping[str, str] = field(default_factory=dict)


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


@dataclass(frozen=True)
class Choice:
    """A component that was named, before it is made.

    Attributes:
        catalog: Where it was found.
        name: Its name there.
        given: The user's word for it, which for a backend is "scheme:model".
        model: What a backend is to load.
    """

    catalog: Catalog[Any]
    name: str
    given: str
    model: str = ""

    @cached_property
    def wall(self) -> Wall:
        """The wall around it."""
        return self.catalog.wall(self.name)

    @cached_property
    def option_model(self) -> Any | None:
        """The pydantic model of its options, if it has any."""
        return self.catalog.load_options(self.name)

    def make(self, values: Mapping[str, str]) -> Component:
        """Return the component with those of the values that it knows, behind its wall.

        Raises as the catalog and the options do.
        """
        chosen = self._options(values)
        recorded = self.wall.call("its options", chosen.model_dump, mode="json")
        part = behind_wall(self.catalog.load(self.name)(chosen), self.wall)
        return Component(self.name, part, recorded, options.accepted(self.option_model, values))

    def open(self, values: Mapping[str, str], context: BackendContext) -> OpenBackend:
        """Return the backend, described but with no weights loaded. Raises InputError and HarnessError."""
        made = self.catalog.load(self.name)(self.model, self._options(values), context)
        if not isinstance(made, Scorer | TextGenerator | Predictor):
            raise HarnessError(f"{self.wall.who} is neither a Scorer, nor a TextGenerator, nor a Predictor")
        part = behind_wall(made, self.wall)
        return OpenBackend(readable(self.given), part, part.describe(), options.accepted(self.option_model, values))

    def _options(self, values: Mapping[str, str]) -> Any:
        return self.wall.call("its options", options.build, self.option_model, values, self.name)


def choose(catalog: Catalog[Any], name: str) -> Choice:
    """Return the choice of a component. Raises as `Catalog.spec`."""
    catalog.spec(name)
    return Choice(catalog, name, name)


def choose_backend(registry: Registry, name: str) -> Choice:
    """Return the choice of the backend `scheme:model`. Raises InputError."""
    spec, model = backend_spec(registry, name)
    return Choice(registry.backends, spec.name, name, model)


def require_known(values: Mapping[str, str], choices: Iterable[Choice]) -> None:
    """Refuse options that none of the components has. Raises InputError that lists those there are."""
    options.require_known(values, {f"{each.catalog.kind} {each.name}": each.option_model for each in choices})


def component(catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Component:
    """Return a component by name, as `Choice.make`."""
    return choose(catalog, name).make(values)


def backend_spec(registry: Registry, name: str) -> tuple[BackendSpec, str]:
    """Return the spec behind `scheme:model`, and the model. Raises InputError."""
    scheme, colon, model = name.partition(":")
    spec = registry.backends.spec(scheme)
    if not colon:
        raise InputError(f"backend '{name}' names no model", f"write {scheme}:MODEL; 'judgeharness list models' helps")
    return spec, model


def open_backend(registry: Registry, name: str, values: Mapping[str, str], context: BackendContext) -> OpenBackend:
    """Return a backend by name, as `Choice.open`."""
    return choose_backend(registry, name).open(values, context)


def placed(
    backend: OpenBackend, executor: Executor, plugins: Sequence[str], notify: Callable[[str], None]
) -> OpenBackend:
    """Return the backend where an executor has it answer; the same one if that is here. Raises HarnessError."""
    if not isinstance(executor, Placing) or not isinstance(backend.part, Model):
        return backend
    recipe = Recipe(backend=backend.name, values=backend.values, plugins=tuple(plugins))
    model = executor.place(backend.part, recipe, notify)
    return OpenBackend(backend.name, model, model.describe(), backend.values)


def is_file(task: str) -> bool:
    """Return whether a task is named by the path of its file."""
    return task.endswith(".toml")


def task_definition(registry: Registry, name: str) -> TaskDefinition:
    """Return a task by name, or by the path of a TOML file. Raises InputError."""
    if is_file(name):
        return read_definition(Path(name).expanduser())
    definition = registry.tasks.load(name)()
    if not isinstance(definition, TaskDefinition):
        raise HarnessError(f"{registry.tasks.wall(name).who} gives no TaskDefinition: {type(definition).__name__}")
    return definition


def default_measures(registry: Registry, more: Sequence[str] = ()) -> dict[str, Measure]:
    """Return the metrics that are shown by default, and those that are asked for besides, by name."""
    default = [spec.name for spec, _ in registry.metrics if spec.default]
    return {name: _measure(registry, name) for name in dict.fromkeys([*default, *more])}


def _measure(registry: Registry, name: str) -> Measure:
    spec: MetricSpec = registry.metrics.spec(name)
    resampled, ends = (
        None if target is None else registry.metrics.load_part(name, target)
        for target in (spec.resampled, spec.interval)
    )
    return Measure(spec, registry.metrics.load(name), resampled, ends)
