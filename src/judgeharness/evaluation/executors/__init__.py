"""Executors: where prompt groups are answered."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import ExecutorSpec


@hookimpl
def judgeharness_executors() -> list[ExecutorSpec]:
    """The executors that ship with judgeharness."""
    return [
        ExecutorSpec(
            name="local",
            summary="in this process, with the devices that the backend takes",
            target="judgeharness.evaluation.executors.local:Local",
        )
    ]
