"""What every command needs from its surroundings: plugins, data, cache, store and watcher.

Each is opened when it is first needed. Importing this module imports only the plugin loading.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from judgeharness.plugins.loading import Plugin
from judgeharness.plugins.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    from judgeharness.backends.contract import BackendContext
    from judgeharness.evaluation.components import OpenBackend
    from judgeharness.evaluation.progress import Watcher
    from judgeharness.metrics.measure import Measure
    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.definition import TaskDefinition
    from judgeharness.tasks.explanations import ExplanationSet
    from judgeharness.tasks.task import Task


class Workspace:
    """Plugins, data folders, cache, store and watcher of one call.

    Attributes:
        plugins: Files and modules with plugins, in addition to the installed ones.
        data_dir: The folder with datasets; None for JUDGEHARNESS_DATA_DIR or the user's cache.
        store: The store's file; None for JUDGEHARNESS_STORE or ./judgeharness.db.
        debug: Whether errors show a traceback.
        watch: Makes the watcher for work that is counted in a unit, such as "prompts".
        warn: Called with a line about something that is wrong but stops nothing.
    """

    def __init__(
        self,
        plugins: Sequence[str] = (),
        data_dir: str | Path | None = None,
        store: str | Path | None = None,
        watch: Callable[[str], Watcher] | None = None,
        warn: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.plugins = list(plugins)
        self.data_dir = data_dir
        self.store = store
        self.debug = False
        self._watch = watch
        self._warn = warn
        self._registry: Registry | None = None
        self._warned: set[str] = set()

    @property
    def registry(self) -> Registry:
        """All components. Plugins that cannot be loaded are warned about once."""
        if self._registry is None:
            self._registry = Registry.from_environment(self.plugins)
            self._warn_of(self._registry.failures())
        return self._registry

    def add_plugins(self, words: Sequence[str]) -> None:
        """Load more plugins. The registry is rebuilt if any of them is new."""
        new = [word for word in words if word not in self.plugins]
        if new:
            self.plugins += new
            self._registry = None

    @cached_property
    def folders(self) -> DataFolders:
        """The folders that are searched for data."""
        from judgeharness.tasks.datasets import DataFolders

        return DataFolders.from_environment(None if self.data_dir is None else str(self.data_dir))

    @cached_property
    def cache(self) -> Path:
        """The user's cache folder. It may not exist."""
        from judgeharness.tasks.datasets import cache_folder

        return cache_folder()

    @property
    def store_path(self) -> Path:
        """The store's file. It may not exist."""
        from judgeharness.store.database import store_path

        return store_path(None if self.store is None else str(self.store))

    def watcher(self, unit: str = "prompts") -> Watcher:
        """Return a watcher for work that is counted in a unit."""
        if self._watch is not None:
            return self._watch(unit)
        from judgeharness.evaluation.progress import Watcher

        return Watcher()

    def open_store(self, create: bool = False) -> Store:
        """Open the store, and warn if it was upgraded. Arguments and errors are those of `Store.open`."""
        from judgeharness.store.database import Store

        store = Store.open(self.store_path, create)
        if store.backup is not None:
            self._warn(f"{store.path}: brought up to date; as it was, it is in {store.backup}")
        return store

    def measures(self, more: Sequence[str] = ()) -> dict[str, Measure]:
        """Return the default metrics and those in `more`, by name. Raises UnknownNameError."""
        from judgeharness.evaluation.components import default_measures

        return default_measures(self.registry, more)

    def definition(self, name: str) -> TaskDefinition:
        """Return a task's definition, by name or by the path of its file. Raises InputError."""
        from judgeharness.evaluation.components import task_definition

        return task_definition(self.registry, name)

    def load(self, definition: TaskDefinition, split: str | None = None) -> Task:
        """Return the task of a definition with its items. Raises as `load_task`."""
        from judgeharness.tasks.task import load_task

        return load_task(definition, self.folders, self.watcher().downloading, split)

    def task(self, name: str, split: str | None = None, limit: int | None = None) -> Task:
        """Return a task with all of its items, or only the first `limit`. Raises as `load_task`."""
        return self.load(self.definition(name), split).limited(limit)

    def task_of(self, run: Run, file: str | None = None) -> Task:
        """Return the task of a run with its texts, which the store does not hold.

        Args:
            run: The run.
            file: The task's file, needed if the task is the user's own.

        Raises:
            InputError: A file is needed but not given. Otherwise raises as `load_task`.
        """
        from judgeharness.domain.errors import InputError
        from judgeharness.evaluation.components import is_file

        if file is None and is_file(run.task):
            raise InputError(f"run {run.id}: '{run.task}' is not the name of a task", "name its file: --task FILE.toml")
        return self.task(file or run.task, run.split)

    def explanations(self, word: str) -> ExplanationSet | None:
        """Return the explanations that a user names: None for "human", a JSON lines file, or a set in the store.

        Raises InputError if they do not exist.
        """
        from pathlib import Path

        from judgeharness.domain.files import is_file
        from judgeharness.tasks.explanations import HUMAN, read_explanations

        if word == HUMAN:
            return None
        path = Path(word).expanduser()
        if path.suffix in {".jsonl", ".json"} or is_file(path):
            return read_explanations(path)
        with self.open_store() as opened:
            return opened.explanations.find(word)

    def backend_context(self, watcher: Watcher | None = None) -> BackendContext:
        """Return what backends are given from outside."""
        from judgeharness.backends.contract import BackendContext

        return BackendContext(self.cache, (watcher or self.watcher()).note)

    def backend(self, name: str, values: Mapping[str, str], watcher: Watcher | None = None) -> OpenBackend:
        """Return the backend `scheme:model` with these options, without loading its weights.

        Raises InputError, also for an unknown option, and HarnessError.
        """
        from judgeharness.evaluation.components import choose_backend, require_known

        choice = choose_backend(self.registry, name)
        require_known(values, [choice])
        return choice.open(values, self.backend_context(watcher))

    def _warn_of(self, failures: Sequence[Plugin]) -> None:
        for plugin in failures:
            if plugin.name not in self._warned:
                self._warned.add(plugin.name)
                self._warn(f"warning: plugin '{plugin.name}' could not be loaded: {plugin.error}")
