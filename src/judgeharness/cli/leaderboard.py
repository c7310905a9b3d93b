"""`judgeharness leaderboard`: shows the runs in the store, best first."""

from __future__ import annotations

import sys

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import format_option, pass_workspace, store_option
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.evaluation.workspace import Workspace


@click.command("leaderboard")
@click.option(
    "--task",
    "tasks",
    multiple=True,
    type=ComponentName("tasks"),
    metavar="NAME",
    help="Show only runs on this task (repeatable).",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="PATTERN",
    help="Show only runs of matching backends, such as 'hf:*' (repeatable).",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=ComponentName("strategies"),
    metavar="NAME",
    help="Show only runs with this strategy (repeatable).",
)
@click.option(
    "--transform",
    "transforms",
    multiple=True,
    type=ComponentName("transforms"),
    metavar="NAME",
    help="Show only runs with this transform (repeatable).",
)
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="Show only the best N runs of each table.")
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=ComponentName("metrics"),
    metavar="NAME",
    help="Metric to show besides the default ones (repeatable).",
)
@click.option("--sort", default=DEFAULT_METRIC, show_default=True, metavar="METRIC", help="Metric that ranks the runs.")
@click.option(
    "--people",
    type=click.IntRange(min=1),
    multiple=True,
    metavar="N",
    help="Show what N annotators reach (repeatable).",
)
@click.option(
    "--kind",
    type=click.Choice(("judges", "finetune")),
    default="judges",
    show_default=True,
    help="Show judges, or classifiers fine-tuned on soft labels.",
)
@click.option("--published", is_flag=True, help="Add published results on the same items, marked as such.")
@store_option
@format_option
@pass_workspace
def command(
    workspace: Workspace,
    /,
    metrics: tuple[str, ...],
    sort: str,
    people: tuple[int, ...],
    published: bool,
    kind: str,
    top: int | None,
    form: str,
    **selected: tuple[str, ...],
) -> None:
    """Rank the runs in the store, with one table for each set of items."""
    from judgeharness.reports.leaderboard import Selection, View, leaderboard

    registry = workspace.registry
    if kind == "finetune":
        if people or top or any(names for option, names in selected.items() if option != "tasks"):
            raise click.UsageError("--kind finetune takes --task, --metric, --published and --format only")
        _finetuned(workspace, metrics, selected["tasks"], published, form)
        return
    reporter = registry.reporters.load(form)
    columns = workspace.measures([*metrics, sort])
    view = View(selection=Selection(**selected), sort=sort, people=people, published=published, top=top)
    with workspace.open_store() as opened:
        judges = [run for run in opened.runs.all() if not run.is_finetuned]
        board = leaderboard(judges, opened.runs, columns, view)
    reporter(board, sys.stdout)


def _finetuned(
    workspace: Workspace, metrics: tuple[str, ...], tasks: tuple[str, ...], published: bool, form: str
) -> None:
    from judgeharness.finetune import formats as finetuned_forms
    from judgeharness.finetune import leaderboard as finetuned

    write = finetuned_forms.writer(form)
    measures = workspace.measures([*finetuned.METRICS, *metrics])
    with workspace.open_store() as opened:
        runs = [run for run in opened.runs.all() if not tasks or run.task in tasks]
        write(finetuned.board(runs, opened.runs, measures, metrics, published), sys.stdout)
