"""`judgeharness export`: soft labels for other trainers."""

from __future__ import annotations

from pathlib import Path

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import data_dir_option, store_option
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.streams import echo


@click.command("export")
@click.argument("labels", metavar="RUN|baseline:NAME")
@click.option("--format", "form", type=click.Choice(("soft-labels",)), default="soft-labels", show_default=True)
@click.option(
    "--task", "task_name", default="chaosnli", show_default=True, type=ComponentName("tasks"), metavar="NAME|FILE.toml"
)
@click.option("--split", metavar="NAME", help="What the labels are for; the task's first split unless given.")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR")
@data_dir_option
@store_option
@click.pass_context
def command(
    context: click.Context,
    labels: str,
    form: str,
    task_name: str,
    split: str | None,
    out: Path,
    data_dir: str | None,
    store: str | None,
) -> None:
    """Write a run's or a baseline's distributions as JSON lines, a file a split, with the data's licence beside them.

    The split of the labels has them; the others have people's distributions, to measure on.
    """
    from judgeharness.backends.contract import BackendContext
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.evaluation.components import task_definition
    from judgeharness.finetune.export import write_soft_labels
    from judgeharness.finetune.labels import soft_labels
    from judgeharness.reports.progress import download_meter
    from judgeharness.tasks.datasets import DataFolders, cache_folder
    from judgeharness.tasks.task import load_task

    registry = context.ensure_object(Session).registry
    folders = DataFolders.from_environment(data_dir)
    definition = task_definition(registry, task_name)
    task = load_task(definition, folders, download_meter, split)
    held_out = [
        load_task(definition, folders, download_meter, name) for name in definition.split_names if name != task.split
    ]
    backends = BackendContext(cache_folder(), lambda text: echo(text, err=True))
    if ":" in labels:
        found = soft_labels(labels, task, None, registry, backends)
    else:
        with open_store(store) as opened:
            found = soft_labels(labels, task, opened.runs, registry, backends)
    for path in write_soft_labels(out, found.name, task, found.rows, held_out):
        echo(str(path))
