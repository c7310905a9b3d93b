"""`judgeharness leaderboard`: the runs in the store, best first."""

from __future__ import annotations

import sys

import click

from judgeharness.cli.parameters import format_option, store_option
from judgeharness.cli.program import Session


@click.command("leaderboard")
@click.option("--task", "tasks", multiple=True, metavar="NAME", help="Runs of this task only; repeats.")
@click.option(
    "--backend",
    "backends",
    multiple=True,
    metavar="PATTERN",
    help="Runs of this backend only, such as 'hf:*'; repeats.",
)
@click.option("--strategy", "strategies", multiple=True, metavar="NAME", help="Runs of this strategy only; repeats.")
@click.option("--transform", "transforms", multiple=True, metavar="NAME", help="Runs of this transform only; repeats.")
@click.option("--top", type=click.IntRange(min=1), metavar="N", help="The best N runs of each board only.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A column besides the default ones; repeats.")
@click.option("--sort", default="jsd", show_default=True, metavar="METRIC", help="What ranks the runs.")
@click.option(
    "--people", type=click.IntRange(min=1), multiple=True, metavar="N", help="Show what N annotators reach; repeats."
)
@click.option("--published", is_flag=True, help="Show printed figures on the same items, marked as such.")
@store_option
@format_option
@click.pass_context
def command(
    context: click.Context,
    /,
    metrics: tuple[str, ...],
    sort: str,
    people: tuple[int, ...],
    published: bool,
    top: int | None,
    store: str | None,
    form: str,
    **selected: tuple[str, ...],
) -> None:
    """Rank the runs in the store, those over the same items together."""
    from judgeharness.components import default_measures
    from judgeharness.reports.leaderboard import Selection, View, leaderboard
    from judgeharness.store.database import Store, store_path

    registry = context.ensure_object(Session).registry
    reporter = registry.reporters.load(form)
    columns = default_measures(registry, [*metrics, sort])
    view = View(selection=Selection(**selected), sort=sort, people=people, published=published, top=top)
    with Store.open(store_path(store), create=False) as opened:
        board = leaderboard(opened.runs.all(), opened.runs, columns, view)
    reporter(board, sys.stdout)
