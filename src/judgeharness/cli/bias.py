"""`judgeharness bias`: shows which letters and positions a judge prefers."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import (
    data_dir_option,
    pass_workspace,
    report_format_option,
    store_option,
    task_file_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace


@click.command("bias")
@click.argument("run_id", metavar="RUN")
@task_file_option
@report_format_option
@data_dir_option
@store_option
@pass_workspace
def command(workspace: Workspace, run_id: str, task_file: str | None, form: str) -> None:
    """Show which letters and explanation positions a judge prefers.

    Also shows how much probabilities change with the order of options and explanations. Reads the scores in the store
    and runs no model. RUN is the id of a run, or the beginning of it.
    """
    from judgeharness.evaluation.again.replay import bias_of
    from judgeharness.reports import bias

    registry = workspace.registry
    with workspace.open_store() as opened:
        run = opened.runs.find(run_id)
        task = workspace.task_of(run, task_file)
        found = bias_of(run, task, registry, opened)
    if form == "json":
        echo(json.dumps(bias.document(run, found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(bias.render(run, found))
