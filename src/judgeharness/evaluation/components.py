"""Find components by name and make them: strategies, transforms, executors, backends, task definitions, metrics."""

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
    """A strategy, transform or executor with its name.

    Attributes:
        name: Its name.
        part: The strategy, transform or executor itself.
        options: All of its options, as they are recorded.
        values: The options that the user gave, as strings.
    """

    name: str
    part: Any
    options: Mapping[str, Any]
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OpenBackend:
    """A backend that has been made and described.

    Attributes:
        name: The name that the user gave, "scheme:model".
        part: The model or predictor itself.
        description: What the backend says of itself.
        values: The options that the user gave for it, as strings.
    """

    name: str
    part: Model | Predictor
    description: Description
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """The hash under which its answers are stored."""
        return digest(dict(self.description))


@dataclass(frozen=True)
class Choice:
    """A component that the user named and that has not been made yet.

    Attributes:
        catalog: The catalog that it was found in.
        name: Its name in the catalog.
        given: The name that the user gave. For a backend this is "scheme:model".
        model: The model that a backend is to load.
    """

    catalog: Catalog[Any]
    name: str
    given: str
    model: str = ""

    @cached_property
    def wall(self) -> Wall:
        """The wall that catches what goes wrong in the component."""
        return self.catalog.wall(self.name)

    @cached_property
    def option_model(self) -> Any | None:
        """The pydantic model of its options, if it has options."""
        return self.catalog.load_options(self.name)

    def make(self, values: Mapping[str, str]) -> Component:
        """Make the component, behind its wall, with those of the values that are its options.

        Raises as the catalog and the options do.
        """
        chosen = self._options(values)
        recorded = self.wall.call("its options", chosen.model_dump, mode="json")
        part = behind_wall(self.catalog.load(self.name)(chosen), self.wall)
        return Component(self.name, part, recorded, options.accepted(self.option_model, values))

    def open(self, values: Mapping[str, str], context: BackendContext) -> OpenBackend:
        """Make and describe the backend without loading weights. Raises InputError and HarnessError."""
        made = self.catalog.load(self.name)(self.model, self._options(values), context)
        if not isinstance(made, Scorer | TextGenerator | Predictor):
            raise HarnessError(f"{self.wall.who} is neither a Scorer, nor a TextGenerator, nor a Predictor")
        part = behind_wall(made, self.wall)
        return OpenBackend(readable(self.given), part, part.describe(), options.accepted(self.option_model, values))

    def _options(self, values: Mapping[str, str]) -> Any:
        return self.wall.call("its options", options.build, self.option_model, values, self.name)


def choose(catalog: Catalog[Any], name: str) -> Choice:
    """Find a component by name. Raises as `Catalog.spec`."""
    catalog.spec(name)
    return Choice(catalog, name, name)


def choose_backend(registry: Registry, name: str) -> Choice:
    """Find the backend `scheme:model`. Raises InputError."""
    spec, model = backend_spec(registry, name)
    return Choice(registry.backends, spec.name, name, model)


def require_known(values: Mapping[str, str], choices: Iterable[Choice]) -> None:
    """Refuse options that no component has. Raises InputError, which lists the known options."""
    options.require_known(values, {f"{each.catalog.kind} {each.name}": each.option_model for each in choices})


def component(catalog: Catalog[Any], name: str, values: Mapping[str, str]) -> Component:
    """Find and make a component. Raises as `choose` and `Choice.make`."""
    return choose(catalog, name).make(values)


def backend_spec(registry: Registry, name: str) -> tuple[BackendSpec, str]:
    """Return the spec and the model of a backend `scheme:model`. Raises InputError."""
    scheme, colon, model = name.partition(":")
    spec = registry.backends.spec(scheme)
    if not colon:
        raise InputError(f"backend '{name}' names no model", f"write {scheme}:MODEL; 'judgeharness list models' helps")
    return spec, model


def open_backend(registry: Registry, name: str, values: Mapping[str, str], context: BackendContext) -> OpenBackend:
    """Find and make a backend. Raises as `choose_backend` and `Choice.open`."""
    return choose_backend(registry, name).open(values, context)


def placed(
    backend: OpenBackend, executor: Executor, plugins: Sequence[str], notify: Callable[[str], None]
) -> OpenBackend:
    """Return the backend in the place where the executor runs it, or unchanged if it runs here. Raises HarnessError."""
    if not isinstance(executor, Placing) or not isinstance(backend.part, Model):
        return backend
    recipe = Recipe(backend=backend.name, values=backend.values, plugins=tuple(plugins))
    model = executor.place(backend.part, recipe, notify)
    return OpenBackend(backend.name, model, model.describe(), backend.values)


def is_file(task: str) -> bool:
    """Return whether a task is named by the path of a file."""
    return task.endswith(".toml")


def task_definition(registry: Registry, name: str) -> TaskDefinition:
    """Return a task definition by name or by the path of a TOML file. Raises InputError and HarnessError."""
    if is_file(name):
        return read_definition(Path(name).expanduser())
    definition = registry.tasks.load(name)()
    if not isinstance(definition, TaskDefinition):
        raise HarnessError(f"{registry.tasks.wall(name).who} gives no TaskDefinition: {type(definition).__name__}")
    return definition


def default_measures(registry: Registry, more: Sequence[str] = ()) -> dict[str, Measure]:
    """Return the default metrics and those that the user adds, by name."""
    default = [spec.name for spec, _ in registry.metrics if spec.default]
    return {name: _measure(registry, name) for name in dict.fromkeys([*default, *more])}


def _measure(registry: Registry, name: str) -> Measure:
    spec: MetricSpec = registry.metrics.spec(name)
    resampled, squared = (
        None if target is None else registry.metrics.load_part(name, target)
        for target in (spec.resampled, spec.squared)
    )
    return Measure(spec, registry.metrics.load(name), resampled, squared)
