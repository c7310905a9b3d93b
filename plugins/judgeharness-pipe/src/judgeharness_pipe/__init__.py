"""Judges written in any language: a program that reads and writes JSON lines."""

from __future__ import annotations

from judgeharness.plugin import BackendSpec, hookimpl


@hookimpl
def judgeharness_backends() -> list[BackendSpec]:
    """The backend."""
    return [
        BackendSpec(
            name="pipe",
            summary="a program of your own, JSON lines in and out: pipe:./judge.py",
            target="judgeharness_pipe.backend:PipeBackend",
            options="judgeharness_pipe.backend:PipeOptions",
            sensitive="program",
        )
    ]
