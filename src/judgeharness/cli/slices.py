"""`judgeharness slices`: shows on which items a judge is close to people."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import (
    data_dir_option,
    metrics_option,
    pass_workspace,
    report_format_option,
    store_option,
    task_file_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

CHOICES = """\b
--by takes one of:
  entropy           the entropy of the human distribution, in --bins bins
  majority          the label that most people chose
  explained-labels  how many different labels the explanations argue for
  SOURCE            a label source of the task, such as mnli-single
  FIELD             a field of the items
"""


@click.command("slices", epilog=CHOICES)
@click.argument("runs", nargs=-1, required=True, metavar="RUN...")
@click.option(
    "--by", default="entropy", show_default=True, metavar="NAME", help="Property that divides the items, listed below."
)
@click.option(
    "--bins", default=3, show_default=True, type=click.IntRange(2, 20), help="Number of bins for --by entropy."
)
@metrics_option
@task_file_option
@report_format_option
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

    RUN is the id of a run, or the beginning of it.
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
