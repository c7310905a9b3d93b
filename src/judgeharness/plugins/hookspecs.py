"""The hooks that a plugin may implement. Each returns specs, and none of them should import an implementation."""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

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

PROJECT = "judgeharness"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def judgeharness_backends() -> Iterable[BackendSpec]:
    """Return model backends, which turn prompts into option scores, or items into distributions."""
    return ()


@hookspec
def judgeharness_tasks() -> Iterable[TaskSpec]:
    """Return tasks: items with human judgment distributions, and the wording of the question."""
    return ()


@hookspec
def judgeharness_strategies() -> Iterable[StrategySpec]:
    """Return prompt strategies, which choose the prompts for one item."""
    return ()


@hookspec
def judgeharness_transforms() -> Iterable[TransformSpec]:
    """Return transforms, which turn a prompt's option scores into probabilities."""
    return ()


@hookspec
def judgeharness_metrics() -> Iterable[MetricSpec]:
    """Return metrics between human and model judgment distributions."""
    return ()


@hookspec
def judgeharness_reporters() -> Iterable[ReporterSpec]:
    """Return reporters, which write a leaderboard in a format."""
    return ()


@hookspec
def judgeharness_sections() -> Iterable[SectionSpec]:
    """Return sections of the page that `judgeharness report` writes, in the order of registration."""
    return ()


@hookspec
def judgeharness_executors() -> Iterable[ExecutorSpec]:
    """Return executors, which decide where prompt groups are scored."""
    return ()


@hookspec
def judgeharness_commands() -> Iterable[CommandSpec]:
    """Return commands of the `judgeharness` program."""
    return ()


HOOKS: dict[str, type[Spec]] = {
    "judgeharness_backends": BackendSpec,
    "judgeharness_tasks": TaskSpec,
    "judgeharness_strategies": StrategySpec,
    "judgeharness_transforms": TransformSpec,
    "judgeharness_metrics": MetricSpec,
    "judgeharness_reporters": ReporterSpec,
    "judgeharness_sections": SectionSpec,
    "judgeharness_executors": ExecutorSpec,
    "judgeharness_commands": CommandSpec,
}
