"""`judgeharness furthest`: the items on which a run's judge is furthest from people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from judgeharness.plugin import Measure, Run, Store, Workspace


@click.command("furthest")
@click.argument("run_id", metavar="RUN")
@click.option("--metric", default="jsd", show_default=True, metavar="NAME", help="Any metric of single items.")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True, metavar="N", help="How many.")
@click.option("--store", metavar="FILE", help="The store.")
@click.pass_obj
def command(workspace: Workspace, run_id: str, metric: str, top: int, store: str | None) -> None:
    """List the items on which a RUN's judge is furthest from people, the furthest first."""
    from judgeharness.plugin import InputError

    workspace.store = store
    measure = workspace.measures([metric])[metric]
    if measure.spec.level != "item":
        raise InputError(f"{metric} is a metric of whole sets of items", "name one of single items, such as jsd")
    with workspace.open_store() as opened:
        run = opened.runs.find(run_id)
        rows = _furthest(opened, run, measure)[:top]
        labels = ", ".join(opened.runs.task(run.task_digest).labels)
    click.echo(f"{run.name} on {run.task}: {measure.spec.label} by item; people and judge: {labels}")
    for uid, value, human, model in rows:
        click.echo(f"{value:8.3f}  {uid:<20}  {_shares(human)}  {_shares(model)}")


def _furthest(
    store: Store, run: Run, measure: Measure
) -> list[tuple[str, float, tuple[float, ...], tuple[float, ...]]]:
    """Uid, value, people's and the judge's distribution of each item, worst first."""
    from judgeharness.plugin import Sample

    predictions = [each for each in store.runs.predictions(run.id) if each.probabilities is not None]
    people = {item.uid: item for item in store.runs.items(run.task_digest)}
    items = [people[each.uid] for each in predictions]
    values = measure.values(Sample.of(items, predictions)).tolist()
    rows = [
        (item.uid, value, item.human, each.probabilities or ())
        for item, value, each in zip(items, values, predictions, strict=True)
    ]
    return sorted(rows, key=lambda row: -measure.spec.distance_from_best(row[1]))


def _shares(shares: tuple[float, ...]) -> str:
    return " ".join(f"{share:.2f}" for share in shares)
