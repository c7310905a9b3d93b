"""`judgeharness export`: exports soft labels for other trainers."""

from __future__ import annotations

from pathlib import Path

import click

from judgeharness.cli.shared.parameters import chaosnli_option, data_dir_option, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace


@click.command("export")
@click.argument("labels", metavar="RUN|baseline:NAME")
@chaosnli_option
@click.option("--split", metavar="NAME", help="Split that the labels are for.  [default: the first split of the task]")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    metavar="DIR",
    help="Folder for the files.",
)
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    labels: str,
    task_name: str,
    split: str | None,
    out: Path,
) -> None:
    """Export soft labels for other trainers.

    Writes one JSON-lines file per split, and a README.txt with the licence of the data. The chosen split gets the
    distributions of the run or baseline. The other splits get those of people, for evaluation.
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
