"""Conformance tests that plugin authors run with pytest, and fixtures for their own tests.

Derive a test class and name the component. pytest then collects the tests of everything that must hold:

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
