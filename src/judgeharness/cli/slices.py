"""`judgeharness slices`: where a judge is near to people, and where it is not."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import (
    data_dir_option,
    metrics_option,
    pass_workspace,
    store_option,
    task_file_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace


@click.command("slices")
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option("--by", default="entropy", show_default=True, metavar="NAME", help="What makes the slices.")
@click.option("--bins", default=3, show_default=True, type=click.IntRange(2, 20), help="How many of entropy.")
@metrics_option
@task_file_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    runs: tuple[str, ...],
    by: str,
    bins: int,
    metrics: tuple[str, ...],
    task_file: str | None,
    form: str,
) -> None:
    """Measure runs on parts of their items.

    --by entropy (of the human distribution), majority (the label that most people chose), explained-labels (how many
    different labels the explanations argue for), a label source of the task (mnli-single, ...), or a field of items.
    """
    from judgeharness.analysis.slices import slices_of
    from judgeharness.metrics.measure import applicable
    from judgeharness.reports import slices as report
    from judgeharness.reports.text import Console

    _registry, console = workspace.registry, Console()
    documents = []
    with workspace.open_store() as opened:
        for run in [opened.runs.find(each) for each in dict.fromkeys(runs)]:
            task = workspace.task_of(run, task_file)
            measures = applicable(workspace.measures(metrics), task.definition.ordinal)
            found = slices_of(task, opened.runs.predictions(run.id), by, bins, measures)
            documents.append(report.document(run, by, found))
            if form == "table":
                console.print(report.render(run, by, found, [each.spec for each in measures.values()], console.width))
    if form == "json":
        echo(json.dumps(documents, indent=2))
