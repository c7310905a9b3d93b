"""Components by name, as the loaded plugins provide them, with helpful errors for wrong names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from judgeharness.domain.errors import InputError, UnknownNameError
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

if TYPE_CHECKING:
    from judgeharness.plugins.walls import Wall

S = TypeVar("S", bound=Spec)


class Catalog(Generic[S]):
    """The components of one kind. If two have the same name, using that name is an error."""

    def __init__(self, kind: type[S], plugins: Sequence[Plugin]) -> None:
        self.kind = kind.kind
        self._found: dict[str, list[tuple[S, Plugin]]] = {}
        for plugin in plugins:
            for spec in plugin.specs:
                if isinstance(spec, kind):
                    self._found.setdefault(spec.name, []).append((spec, plugin))

    def names(self) -> list[str]:
        """Return all names, sorted."""
        return sorted(self._found)

    def __iter__(self) -> Iterator[tuple[S, Plugin]]:
        """Yield specs with their plugins, in the order of registration. Duplicates of a name are all included."""
        for entries in self._found.values():
            yield from entries

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def spec(self, name: str) -> S:
        """Return the spec with a name. Raises UnknownNameError, or InputError if two plugins provide it."""
        return self._entry(name)[0]

    def load(self, name: str) -> Any:
        """Return the object for the spec's target, behind its wall. Raises as `spec` and `targets.load` do."""
        return self.load_part(name, self.spec(name).target)

    def load_part(self, name: str, target: str) -> Any:
        """Return another object of a component than its target, given as "module:object". Raises as `load` does."""
        from judgeharness.plugins import targets

        found = targets.load_at(*self._entry(name), target)
        # A command is a click object, and click calls it.
        if self.kind == CommandSpec.kind:
            return found
        wall = self.wall(name)
        if not callable(found):
            raise wall.broken(target, "it cannot be called")
        return wall.function(target.partition(":")[2], found)

    def plugin(self, name: str) -> Plugin:
        """Return the plugin that provides a component. Raises as `spec` does."""
        return self._entry(name)[1]

    def wall(self, name: str) -> Wall:
        """Return the wall around a component. Raises as `spec` does."""
        from judgeharness.plugins.walls import Wall

        return Wall.around(*self._entry(name))

    def load_options(self, name: str) -> Any | None:
        """Return the component's options model, or None. Raises as `spec` and `targets.load` do."""
        from judgeharness.plugins import targets

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
    """All catalogs of the loaded plugins.

    Attributes:
        plugins: The plugins.
        given: The values of --plugin.
    """

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
        """Load built-in plugins, installed ones as selected by JUDGEHARNESS_PLUGINS, and those given with --plugin."""
        return cls(load_plugins(given), given)

    def failures(self) -> list[Plugin]:
        """Return the plugins that could not be loaded."""
        return [plugin for plugin in self.plugins if plugin.state == "failed"]
