"""`judgeharness leaderboard`: the runs in the store, best first."""

from __future__ import annotations

import sys

import click

from judgeharness.cli.parameters import format_option, store_option
from judgeharness.cli.program import Session


@click.command("leaderboard")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Runs of this task only; repeats.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A column besides the default ones; repeats.")
@click.option("--sort", default="jsd", show_default=True, metavar="METRIC", help="What ranks the runs.")
@click.option(
    "--people", type=click.IntRange(min=1), multiple=True, metavar="N", help="Show what N annotators reach; repeats."
)
@store_option
@format_option
@click.pass_context
def command(
    context: click.Context,
    tasks: tuple[str, ...],
    metrics: tuple[str, ...],
    sort: str,
    people: tuple[int, ...],
    store: str | None,
    form: str,
) -> None:
    """Rank the runs in the store, those over the same items together."""
    from judgeharness.components import default_measures
    from judgeharness.reports.leaderboard import leaderboard
    from judgeharness.store.database import Store, store_path

    registry = context.ensure_object(Session).registry
    reporter = registry.reporters.load(form)
    columns = default_measures(registry, [*metrics, sort])
    with Store.open(store_path(store), create=False) as opened:
        runs = [run for run in opened.runs.all() if not tasks or run.task in tasks]
        board = leaderboard(runs, opened.runs, columns, sort, people)
    reporter(board, sys.stdout)
