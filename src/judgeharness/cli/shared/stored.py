"""What commands on stored runs have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from judgeharness.plugins.registry import Registry
    from judgeharness.store.runs import Run
    from judgeharness.tasks.task import Task

task_file_option = click.option(
    "--task", "task_file", metavar="FILE.toml", help="Where the task is, for one of your own."
)


def task_of(run: Run, task_file: str | None, registry: Registry, data_dir: str | None) -> Task:
    """The task of a run with its texts, which the store does not keep. Raises as `load_task`."""
    from judgeharness.domain.errors import InputError
    from judgeharness.evaluation.components import is_file, task_definition
    from judgeharness.reports.progress import download_meter
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.task import load_task

    if task_file is None and is_file(run.task):
        raise InputError(f"run {run.id}: '{run.task}' is not the name of a task", "name its file with --task FILE.toml")
    definition = task_definition(registry, task_file or run.task)
    return load_task(definition, DataFolders.from_environment(data_dir), download_meter, run.split)
