"""Executors: they run models on groups of prompts."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import ExecutorSpec


@hookimpl
def judgeharness_executors() -> list[ExecutorSpec]:
    """Return the executors that ship with judgeharness."""
    return [
        ExecutorSpec(
            name="local",
            summary="in this process, on the devices that the backend uses",
            target="judgeharness.evaluation.executors.local:Local",
        )
    ]
