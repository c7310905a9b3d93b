"""What the conformance tests share: the component under test, a sample task, and random distributions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.evaluation.components import Component, component, task_definition
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.tasks.datasets import DataFolders
from judgeharness.tasks.fetch import silent_meter
from judgeharness.tasks.task import Task, load_task

SAMPLE = "nli-sample"
SAMPLE_ITEMS = 4


class Conformance:
    """The component under test.

    Attributes:
        name: The component's name.
        options: The component's options, as `-o` would give them.
        plugins: The files or modules with the plugin, if it is not installed.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}
    plugins: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def registry(cls) -> Registry:
        """Return all components, including those of the plugin."""
        registry = _registry(cls.plugins)
        failed = [f"{plugin.name}: {plugin.error}" for plugin in registry.failures()]
        assert not failed, f"plugins could not be loaded: {failed}"
        return registry

    @classmethod
    def component(cls, catalog: Catalog[Any]) -> Component:
        """Return the component, created with its options."""
        return component(catalog, cls.name, cls.options)

    @classmethod
    def load(cls, name: str, split: str | None = None) -> Task:
        """Load a task by its name or path."""
        return load_task(task_definition(cls.registry(), name), DataFolders.from_environment(), silent_meter, split)

    @classmethod
    def sample(cls) -> Task:
        """Return a few items with explanations. They need no download."""
        return cls.load(SAMPLE).limited(SAMPLE_ITEMS)


@cache
def _registry(plugins: tuple[str, ...]) -> Registry:
    return Registry.from_environment(plugins)


def distributions(items: int, labels: int, seed: int = 0) -> FloatArray:
    """Return random distributions (items, labels) without zeros."""
    drawn = np.random.default_rng([seed, items, labels]).dirichlet(np.ones(labels), size=items)
    return np.asarray((drawn + 1e-3) / (drawn + 1e-3).sum(axis=1, keepdims=True), dtype=np.float64)
