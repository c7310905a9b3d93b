"""Components by name: what the loaded plugins provide, and errors that help where a name is wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.plugins import targets
from judgeharness.plugins.loading import SELECTION_VARIABLE, Plugin, load_plugins
from judgeharness.plugins.specs import (
    BackendSpec,
    CommandSpec,
    ExecutorSpec,
    MetricSpec,
    ReporterSpec,
    SectionSpec,
    Spec,
    StrategySpec,
    TaskSpec,
    TransformSpec,
)
from judgeharness.plugins.walls import Wall

S = TypeVar("S", bound=Spec)


class Catalog(Generic[S]):
    """The components of one kind. Two of the same name are an error when that name is used."""

    def __init__(self, kind: type[S], plugins: Sequence[Plugin]) -> None:
        self.kind = kind.kind
        self._found: dict[str, list[tuple[S, Plugin]]] = {}
        for plugin in plugins:
            for spec in plugin.specs:
                if isinstance(spec, kind):
                    self._found.setdefault(spec.name, []).append((spec, plugin))

    def names(self) -> list[str]:
        """All names, sorted."""
        return sorted(self._found)

    def __iter__(self) -> Iterator[tuple[S, Plugin]]:
        """Specs with their plugins, in the order of registration; a doubled name shows every time."""
        for entries in self._found.values():
            yield from entries

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def spec(self, name: str) -> S:
        """The spec of that name. Raises UnknownNameError, and InputError where two plugins claim it."""
        return self._entry(name)[0]

    def load(self, name: str) -> Any:
        """What the spec's target points to, behind its wall. Raises as `spec` and `targets.load` do."""
        return self.load_part(name, self.spec(name).target)

    def load_part(self, name: str, target: str) -> Any:
        """Another object of a component than its target, at "module:object". Raises as `load`."""
        found = targets.load_at(*self._entry(name), target)
        # A command is an object of click, which calls it.
        if self.kind == CommandSpec.kind:
            return found
        wall = self.wall(name)
        if not callable(found):
            raise wall.broken(target, "it cannot be called")
        return wall.function(target.partition(":")[2], found)

    def plugin(self, name: str) -> Plugin:
        """The plugin that provides a component. Raises as `spec`."""
        return self._entry(name)[1]

    def wall(self, name: str) -> Wall:
        """The wall around a component. Raises as `spec`."""
        return Wall.around(*self._entry(name))

    def load_options(self, name: str) -> Any | None:
        """The component's options model, or None. Raises as `spec` and `targets.load` do."""
        return targets.load_options(*self._entry(name))

    def _entry(self, name: str) -> tuple[S, Plugin]:
        entries = self._found.get(name)
        if entries is None:
            raise UnknownNameError(self.kind, name, self._found)
        if len(entries) > 1:
            providers = " and ".join(plugin.provider for _, plugin in entries)
            raise InputError(
                f"{self.kind} '{name}' is provided twice: by {providers}",
                f"uninstall one, or switch it off: {SELECTION_VARIABLE}=no:NAME ('judgeharness plugins' has the names)",
            )
        return entries[0]


class Registry:
    """All catalogs, over the plugins loaded once. given: the words of --plugin among them."""

    def __init__(self, plugins: Sequence[Plugin], given: Sequence[str] = ()) -> None:
        self.plugins = tuple(plugins)
        self.given = tuple(given)
        self.backends = Catalog(BackendSpec, plugins)
        self.tasks = Catalog(TaskSpec, plugins)
        self.strategies = Catalog(StrategySpec, plugins)
        self.transforms = Catalog(TransformSpec, plugins)
        self.metrics = Catalog(MetricSpec, plugins)
        self.reporters = Catalog(ReporterSpec, plugins)
        self.sections = Catalog(SectionSpec, plugins)
        self.executors = Catalog(ExecutorSpec, plugins)
        self.commands = Catalog(CommandSpec, plugins)

    @classmethod
    def from_environment(cls, given: Sequence[str] = ()) -> Registry:
        """Built-in and installed plugins, as JUDGEHARNESS_PLUGINS selects, and those given with --plugin."""
        return cls(load_plugins(given), given)

    def failures(self) -> list[Plugin]:
        """The plugins that could not be loaded."""
        return [plugin for plugin in self.plugins if plugin.state == "failed"]
