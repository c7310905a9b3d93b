"""`judgeharness compare`: tests whether one judge is better than another on the same items."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import metrics_option, pass_workspace, report_format_option, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.evaluation.workspace import Workspace


@click.command("compare")
@click.argument("runs", nargs=-1, required=True, metavar="RUN RUN...")
@metrics_option
@click.option(
    "--by", default=DEFAULT_METRIC, show_default=True, metavar="METRIC", help="Metric that ranks the changed items."
)
@click.option(
    "--items", default=5, show_default=True, type=click.IntRange(min=0), help="Number of changed items to show."
)
@report_format_option
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
    """Compare runs with the first one, item by item.

    Shows differences with 95 % intervals and p-values, the smallest difference that could have been seen, and the items
    that changed most. The p-values come from a paired test, with Holm's correction over all metrics and runs. An item
    counts only if both runs have a distribution for it. RUN is the id of a run, or the beginning of it.
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
