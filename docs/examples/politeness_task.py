"""A task: a TOML file, the data and the prompt template, all in the folder `politeness`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from judgeharness.plugin import TaskSpec, hookimpl, read_definition


@hookimpl
def judgeharness_tasks() -> list[TaskSpec]:
    """Return the tasks of this plugin."""
    return [
        TaskSpec(
            name="politeness",
            summary="is a reply polite or rude?",
            target=f"{__name__}:definition",
        )
    ]


definition = partial(read_definition, Path(__file__).parent / "politeness" / "task.toml")
