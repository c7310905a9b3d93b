"""`judgeharness bias`: which letters and places a judge prefers."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import data_dir_option, store_option
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.stored import task_file_option, task_of
from judgeharness.cli.shared.streams import echo


@click.command("bias")
@click.argument("run_id", metavar="RUN")
@task_file_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@click.pass_context
def command(
    context: click.Context, run_id: str, task_file: str | None, form: str, data_dir: str | None, store: str | None
) -> None:
    """Show which answer letters and which places of explanations a run's judge prefers, and how much orders move it.

    From the scores in the store; no model is asked. RUN is a run's id or its beginning.
    """
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.evaluation.again.replay import bias_of
    from judgeharness.reports import bias

    registry = context.ensure_object(Session).registry
    with open_store(store) as opened:
        run = opened.runs.find(run_id)
        task = task_of(run, task_file, registry, data_dir)
        found = bias_of(run, task, registry, opened)
    if form == "json":
        echo(json.dumps(bias.document(run, found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(bias.render(run, found))
