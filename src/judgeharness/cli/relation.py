"""`judgeharness relation`: relates the quality of soft labels to fine-tuning results."""

from __future__ import annotations

import json
from pathlib import Path

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import pass_workspace, report_format_option, store_option
from judgeharness.cli.shared.pictures import picture_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

OF_MODEL = ("weighted-f1", "kl", "cross-entropy")
DRAWN = ("jsd", "dcor")


@click.command("relation")
@click.option(
    "--split", default="test", show_default=True, metavar="NAME", help="Split on which the classifiers are measured."
)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    type=ComponentName("tasks"),
    metavar="NAME",
    help="Use only classifiers for this task (repeatable).",
)
@click.option("--model", metavar="MODEL", help="Use only classifiers whose model name starts with this.")
@picture_option("Also draw the relation to this file: .png, .svg or .pdf.")
@report_format_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    split: str,
    tasks: tuple[str, ...],
    model: str | None,
    out: Path | None,
    form: str,
) -> None:
    """Relate label quality to fine-tuning results.

    Shows rank correlations (Kendall's tau-b) between the metrics of soft labels and those of the classifiers fine-tuned
    on them, over all such classifiers in the store.
    """
    from judgeharness.domain.errors import UnknownNameError
    from judgeharness.finetune import leaderboard as finetuned
    from judgeharness.finetune import relation_report as report
    from judgeharness.finetune.relation import relation
    from judgeharness.reports.text import Console

    measures = workspace.measures(finetuned.METRICS)
    with workspace.open_store() as opened:
        runs = [run for run in opened.runs.all() if not tasks or run.task in tasks]
        board = finetuned.board(runs, opened.runs, measures)
    if split not in board.splits:
        raise UnknownNameError("split", split, board.splits)
    of_labels = [each.spec for each in workspace.measures().values()]
    of_model = [measures[name].spec for name in OF_MODEL]
    rows = [row for row in board.rows if model is None or row.model.startswith(model)]
    found = relation(report.taught(rows, split), of_labels, of_model)
    if out is not None:
        from judgeharness.finetune import relation_plot as plot
        from judgeharness.reports.plots import paper

        drawn = [measures[name].spec for name in DRAWN]
        with paper.paper():
            paper.save(plot.draw(found, drawn, measures["cross-entropy"].spec), out)
    if form == "json":
        echo(json.dumps(report.document(found, split), indent=2))
    else:
        Console().print(report.render(found, split, of_labels, of_model))
