"""What the conformance tests share: the component under test, a task to try it on, and made-up distributions."""

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
    """What is under test.

    name: of the component. options: as `-o` would give them. plugins: files or modules, where it is not installed.
    """

    name: ClassVar[str]
    options: ClassVar[Mapping[str, str]] = {}
    plugins: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def registry(cls) -> Registry:
        """Every component, with those of the plugin."""
        registry = _registry(cls.plugins)
        failed = [f"{plugin.name}: {plugin.error}" for plugin in registry.failures()]
        assert not failed, f"plugins could not be loaded: {failed}"
        return registry

    @classmethod
    def component(cls, catalog: Catalog[Any]) -> Component:
        """The component, made with its options."""
        return component(catalog, cls.name, cls.options)

    @classmethod
    def load(cls, name: str, split: str | None = None) -> Task:
        """A task by name or path."""
        return load_task(task_definition(cls.registry(), name), DataFolders.from_environment(), silent_meter, split)

    @classmethod
    def sample(cls) -> Task:
        """A few items with explanations, which need no download."""
        return cls.load(SAMPLE).limited(SAMPLE_ITEMS)


@cache
def _registry(plugins: tuple[str, ...]) -> Registry:
    return Registry.from_environment(plugins)


def distributions(items: int, labels: int, seed: int = 0) -> FloatArray:
    """Made-up distributions (items, labels), none of them with a zero."""
    drawn = np.random.default_rng([seed, items, labels]).dirichlet(np.ones(labels), size=items)
    return np.asarray((drawn + 1e-3) / (drawn + 1e-3).sum(axis=1, keepdims=True), dtype=np.float64)
