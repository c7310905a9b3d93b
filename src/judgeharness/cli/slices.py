"""`judgeharness slices`: where a judge is near to people, and where it is not."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import data_dir_option, metrics_option, store_option
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.stored import task_file_option, task_of
from judgeharness.cli.shared.streams import echo


@click.command("slices")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--by", default="entropy", show_default=True, metavar="NAME", help="What makes the slices.")
@click.option("--bands", default=3, show_default=True, type=click.IntRange(2, 20), help="How many of entropy.")
@metrics_option
@task_file_option
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
    from judgeharness.analysis.slices import slices_of
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.evaluation.components import default_measures
    from judgeharness.metrics.measure import applicable
    from judgeharness.reports import slices as report
    from judgeharness.reports.text import Console

    registry, console = context.ensure_object(Session).registry, Console()
    documents = []
    with open_store(store) as opened:
        for run in [opened.runs.find(each) for each in dict.fromkeys(runs)]:
            task = task_of(run, task_file, registry, data_dir)
            measures = applicable(default_measures(registry, metrics), task.definition.ordinal)
            found = slices_of(task, opened.runs.predictions(run.id), by, bands, measures)
            documents.append(report.document(run, by, found))
            if form == "table":
                console.print(report.render(run, by, found, [each.spec for each in measures.values()], console.width))
    if form == "json":
        echo(json.dumps(documents, indent=2))
