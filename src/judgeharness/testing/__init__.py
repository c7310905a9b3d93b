"""Conformance tests that a plugin's author runs with pytest, and fixtures to go with them.

Derive a test class, name the component, and pytest collects what has to hold:

    from judgeharness.testing import MetricConformance

    class TestMine(MetricConformance):
        name = "my-metric"

For the fixtures, put `pytest_plugins = ["judgeharness.testing.fixtures"]` into your conftest.py.
"""

from __future__ import annotations

import pytest

for _module in ("backends", "common", "metrics", "strategies", "tasks", "transforms"):
    pytest.register_assert_rewrite(f"judgeharness.testing.{_module}")

from judgeharness.testing.backends import BackendConformance  # noqa: E402 (after the rewriting of its assertions)
from judgeharness.testing.metrics import MetricConformance  # noqa: E402
from judgeharness.testing.strategies import StrategyConformance  # noqa: E402
from judgeharness.testing.tasks import TaskConformance  # noqa: E402
from judgeharness.testing.transforms import TransformConformance  # noqa: E402

__all__ = [
    "BackendConformance",
    "MetricConformance",
    "StrategyConformance",
    "TaskConformance",
    "TransformConformance",
]
