"""Finds and loads plugins. A plugin that fails is reported and does not affect the others."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.machinery import SourceFileLoader
from itertools import count
from types import ModuleType
from typing import TYPE_CHECKING

import pluggy

from judgeharness.domain.errors import InputError
from judgeharness.plugins import entrypoints, hookspecs
from judgeharness.plugins.specs import Spec

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint
    from pathlib import Path

SELECTION_VARIABLE = "JUDGEHARNESS_PLUGINS"
OFF_PREFIX = "no:"
MAX_SOURCE_BYTES = 1 << 22

BUILTINS = (
    "judgeharness.backends",
    "judgeharness.tasks",
    "judgeharness.strategies",
    "judgeharness.transforms",
    "judgeharness.metrics",
    "judgeharness.reports",
    "judgeharness.reports.page",
    "judgeharness.evaluation.executors",
    "judgeharness.cli",
)


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin and the result of loading it.

    Attributes:
        name: Its name.
        origin: "built-in", "installed", or the file or module given with --plugin.
        distribution: The installed distribution that it comes from, if any.
        version: The version of that distribution.
        state: "loaded", "failed" or "off".
        error: Why it failed.
        specs: The components that it provides.
        module: The name under which its file was imported; None if it is not a file.
    """

    name: str
    origin: str
    distribution: str | None = None
    version: str | None = None
    state: str = "loaded"
    error: str | None = None
    specs: tuple[Spec, ...] = ()
    module: str | None = None

    @property
    def provider(self) -> str:
        """How messages name it, by its distribution if it has one."""
        if self.origin == "built-in":
            return f"judgeharness itself ({self.name})"
        if self.distribution is not None:
            return f"the distribution {self.distribution} {self.version}"
        return f"the plugin {self.origin}"


@dataclass(frozen=True, slots=True)
class Selection:
    """Which plugins are wanted, by the name of the plugin or of its distribution.

    Attributes:
        only: The installed plugins to load; None for all.
        off: The plugins that are switched off.
    """

    only: frozenset[str] | None = None
    off: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, variable: str | None, extra: Iterable[str] = ()) -> Selection:
        """Parse the value of JUDGEHARNESS_PLUGINS and the `no:NAME` values of --plugin."""
        words = [] if variable is None else [word.strip() for word in variable.split(",") if word.strip()]
        off = {word[len(OFF_PREFIX) :] for word in [*words, *extra] if word.startswith(OFF_PREFIX)}
        only = {word for word in words if not word.startswith(OFF_PREFIX)}
        everything = variable is None or (bool(words) and not only)
        return cls(None if everything else frozenset(only), frozenset(off))

    def wants(self, *names: str | None) -> bool:
        """Return whether an installed plugin with any of these names is wanted."""
        if self.off.intersection(names):
            return False
        return self.only is None or bool(self.only.intersection(names))


class _Loader:
    """Imports one plugin when called."""

    def __init__(self, where: str | Path | EntryPoint) -> None:
        self._where = where

    def __call__(self) -> object:
        if isinstance(self._where, str):
            return importlib.import_module(self._where)
        if isinstance(self._where, os.PathLike):
            return _module_from_file(self._where)
        return self._where.load()


class _Source(SourceFileLoader):
    """Reads a Python file with the checks that other files of users get."""

    def get_data(self, path: str) -> bytes:
        from pathlib import Path

        from judgeharness.domain.files import read_bytes

        return read_bytes(Path(path), MAX_SOURCE_BYTES) if path == self.path else super().get_data(path)


def load_plugins(given: Sequence[str] = (), environment: dict[str, str] | None = None) -> tuple[Plugin, ...]:
    """Load all plugins in this order: built-in, installed, given with --plugin.

    Raises InputError if a file or module given with --plugin does not exist.
    """
    variables = os.environ if environment is None else environment
    selection = Selection.parse(
        variables.get(SELECTION_VARIABLE), [word for word in given if word.startswith(OFF_PREFIX)]
    )
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    candidates = [*_builtin(selection), *_installed(selection), *_given(given)]
    return tuple(_loaded(manager, plugin, load) for plugin, load in candidates)


def _builtin(selection: Selection) -> Iterator[tuple[Plugin, _Loader]]:
    for module in BUILTINS:
        state = "off" if module in selection.off else "loaded"
        yield (Plugin(module, "built-in", state=state), _Loader(module))


def _installed(selection: Selection) -> Iterator[tuple[Plugin, _Loader]]:
    found = set()
    for point in entrypoints.installed(hookspecs.PROJECT):
        distribution = point.dist.name if point.dist else None
        version = point.dist.version if point.dist else None
        found.update({point.name, distribution})
        state = "loaded" if selection.wants(point.name, distribution) else "off"
        yield (Plugin(point.name, "installed", distribution, version, state), _Loader(point))
    for name in sorted((selection.only or frozenset()) - found):
        missing = f"{SELECTION_VARIABLE} names it, but no installed distribution provides it"
        yield (Plugin(name, "installed", state="failed", error=missing), _Loader(name))


def whole_paths(given: Sequence[str]) -> tuple[str, ...]:
    """Return values of --plugin that mean the same in any working directory."""
    from pathlib import Path

    return tuple(str(Path(word).resolve()) if _is_file(word) else word for word in given)


def _is_file(word: str) -> bool:
    return not word.startswith(OFF_PREFIX) and (word.endswith(".py") or os.sep in word)


def _given(given: Sequence[str]) -> Iterator[tuple[Plugin, _Loader]]:
    for word in given:
        if word.startswith(OFF_PREFIX):
            continue
        if _is_file(word):
            from pathlib import Path

            path = _readable(Path(word))
            yield (Plugin(path.stem, str(path)), _Loader(path))
        else:
            if not _module_exists(word):
                raise InputError(f"--plugin {word}: no such module", "give a module's name or the path of a .py file")
            yield (Plugin(word, word), _Loader(word))


def _readable(path: Path) -> Path:
    """Return the absolute path of a plugin's file. Raises InputError if it cannot be read."""
    from judgeharness.domain.files import opened

    with opened(path, MAX_SOURCE_BYTES):
        return path.resolve()


def _module_exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _module_from_file(path: Path) -> ModuleType:
    """Import a file under its own stem, or under another name if another module has that one."""
    name = next(name for name in _names(path.stem) if _is_free(name, path))
    spec = importlib.util.spec_from_file_location(name, path, loader=_Source(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _names(stem: str) -> Iterator[str]:
    yield stem
    yield from (f"judgeharness_plugin_{stem}_{n}" for n in count(1))


def _is_free(name: str, path: Path) -> bool:
    return getattr(sys.modules.get(name), "__file__", None) == str(path) or not _module_exists(name)


def _loaded(manager: pluggy.PluginManager, plugin: Plugin, load: _Loader) -> Plugin:
    if plugin.state != "loaded":
        return plugin
    module = None
    try:
        module = load()
        manager.register(module, name=f"{plugin.origin}:{plugin.name}")
        manager.check_pending()
        specs = tuple(_specs(manager, module))
    except KeyboardInterrupt:
        raise
    # A plugin may fail in any way, including SystemExit.
    except BaseException as error:
        if module is not None and manager.is_registered(module):
            manager.unregister(module)
        return replace(plugin, state="failed", error=_one_line(error))
    loader = getattr(module, "__loader__", None)
    return replace(plugin, specs=specs, module=loader.name if isinstance(loader, _Source) else None)


def _specs(manager: pluggy.PluginManager, module: object) -> Iterator[Spec]:
    callers = manager.get_hookcallers(module) or []
    if not callers:
        raise InputError("it implements none of the hooks " + ", ".join(hookspecs.HOOKS))
    for caller in callers:
        expected = hookspecs.HOOKS[caller.name]
        for implementation in caller.get_hookimpls():
            if implementation.plugin is module:
                yield from _checked(caller.name, expected, implementation.function())


def _checked(hook: str, expected: type[Spec], returned: object) -> Iterator[Spec]:
    if isinstance(returned, str) or not isinstance(returned, Iterable):
        raise InputError(f"{hook} returned {type(returned).__name__}, not a list of {expected.__name__}")
    for spec in returned:
        if not isinstance(spec, expected):
            raise InputError(f"{hook} returned a {type(spec).__name__}, not a {expected.__name__}")
        problems = spec.problems()
        if problems:
            raise InputError(f"{hook}: {'; '.join(problems)}")
        yield spec


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split()) or "no message"
    return text if isinstance(error, InputError) else f"{type(error).__name__}: {text}"
