"""`judgeharness slices`: where a judge is near to people, and where it is not."""

from __future__ import annotations

import json

import click

from judgeharness.cli.parameters import data_dir_option, store_option
from judgeharness.cli.program import Session


@click.command("slices")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--by", default="entropy", show_default=True, metavar="NAME", help="What makes the slices.")
@click.option("--bands", default=3, show_default=True, type=click.IntRange(2, 20), help="How many of entropy.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A metric besides the default ones; repeats.")
@click.option("--task", "task_file", metavar="FILE.toml", help="Where the task is, for one of your own.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@click.pass_context
def command(
    context: click.Context,
    runs: tuple[str, ...],
    by: str,
    bands: int,
    metrics: tuple[str, ...],
    task_file: str | None,
    form: str,
    data_dir: str | None,
    store: str | None,
) -> None:
    """Measure runs on parts of their items.

    --by entropy (of the human distribution), majority (the label that most people chose), explained-labels (how many
    different labels the explanations argue for), a label source of the task (mnli-single, ...), or a field of items.
    """
    from rich.console import Console

    from judgeharness.cli.watching import download_meter
    from judgeharness.components import default_measures, task_definition
    from judgeharness.measures import applicable
    from judgeharness.reports import slices as report
    from judgeharness.slices import slices_of
    from judgeharness.store.database import Store, store_path
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.task import load_task

    registry, console = context.ensure_object(Session).registry, Console()
    documents = []
    with Store.open(store_path(store), create=False) as opened:
        for run in [opened.runs.find(each) for each in dict.fromkeys(runs)]:
            definition = task_definition(registry, task_file or run.task)
            task = load_task(definition, DataFolders.from_environment(data_dir), download_meter, run.split)
            measures = applicable(default_measures(registry, metrics), definition.ordinal)
            found = slices_of(task, opened.runs.predictions(run.id), by, bands, measures)
            documents.append(report.document(run, by, found))
            if form == "table":
                console.print(report.render(run, by, found, [each.spec for each in measures.values()], console.width))
    if form == "json":
        click.echo(json.dumps(documents, indent=2))
