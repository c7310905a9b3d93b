"""`judgeharness bias`: which letters and places a judge prefers."""

from __future__ import annotations

import json

import click

from judgeharness.cli.parameters import data_dir_option, store_option
from judgeharness.cli.program import Session


@click.command("bias")
@click.argument("run_id", metavar="RUN")
@click.option("--task", "task_file", metavar="FILE.toml", help="Where the task is, for one of your own.")
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
    from judgeharness.asked import asked_again
    from judgeharness.bias import measure_bias
    from judgeharness.cli.watching import download_meter
    from judgeharness.components import task_definition
    from judgeharness.errors import InputError
    from judgeharness.reports import bias
    from judgeharness.store.database import Store, store_path
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.task import load_task

    registry = context.ensure_object(Session).registry
    with Store.open(store_path(store), create=False) as opened:
        run = opened.runs.find(run_id)
        definition = task_definition(registry, task_file or run.task)
        task = load_task(definition, DataFolders.from_environment(data_dir), download_meter, run.split)
        asked = list(asked_again(run, task, registry, opened))
    if not asked:
        raise InputError(f"run {run.id} has no item with a distribution")
    found = measure_bias(asked)
    if form == "json":
        click.echo(json.dumps(bias.document(run, found), indent=2))
    else:
        from rich.console import Console

        Console().print(bias.render(run, found))
