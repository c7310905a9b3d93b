"""`judgeharness compare`: whether one judge is better than another, on the same items."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import metrics_option, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.evaluation.workspace import Workspace


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@metrics_option
@click.option("--by", default=DEFAULT_METRIC, show_default=True, metavar="METRIC", help="By what items changed most.")
@click.option("--items", default=5, show_default=True, type=click.IntRange(min=0), help="How many of those to show.")
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    runs: tuple[str, ...],
    metrics: tuple[str, ...],
    by: str,
    items: int,
    form: str,
) -> None:
    """Compare runs with the first of them, item by item: differences, 95 % intervals, p-values.

    RUN is a run's id or its beginning. Items that one of the two has no distribution for are left out. p is of a paired
    permutation test, corrected by Holm's method where several runs are compared.
    """
    from judgeharness.domain.errors import InputError
    from judgeharness.reports import comparison

    measures = workspace.measures([*metrics, by])
    if measures[by].spec.level != "item":
        raise InputError(f"--by {by}: is of all items together", "name a metric that has a value for each item")
    with workspace.open_store() as opened:
        found = comparison.compared(list(dict.fromkeys(runs)), opened.runs, measures, by, items)
    if form == "json":
        echo(json.dumps(comparison.document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(comparison.render(found))
