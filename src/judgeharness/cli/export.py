"""`judgeharness export`: soft labels for other trainers."""

from __future__ import annotations

from pathlib import Path

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import data_dir_option, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace


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
@pass_workspace
def command(
    workspace: Workspace,
    labels: str,
    form: str,
    task_name: str,
    split: str | None,
    out: Path,
) -> None:
    """Write a run's or a baseline's distributions as JSON lines, a file a split, with the data's licence beside them.

    The split of the labels has them; the others have people's distributions, to measure on.
    """
    from judgeharness.finetune.export import write_soft_labels
    from judgeharness.finetune.labels import soft_labels

    definition = workspace.definition(task_name)
    task = workspace.load(definition, split)
    held_out = [workspace.load(definition, name) for name in definition.split_names if name != task.split]
    registry, backends = workspace.registry, workspace.backend_context()
    if ":" in labels:
        found = soft_labels(labels, task, None, registry, backends)
    else:
        with workspace.open_store() as opened:
            found = soft_labels(labels, task, opened.runs, registry, backends)
    for path in write_soft_labels(out, found.name, task, found.rows, held_out):
        echo(str(path))
