"""`judgeharness show`: a run with its record, or one item of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.parameters import store_option
from judgeharness.cli.shared.streams import echo

if TYPE_CHECKING:
    from rich.console import RenderableType

    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run


@click.command("show")
@click.argument("run_id", metavar="RUN")
@click.argument("uid", required=False)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@store_option
def command(run_id: str, uid: str | None, form: str, store: str | None) -> None:
    """Show a RUN (the beginning of its id will do): how it was done and what came out. With a UID, one item."""
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.reports import run as rendering

    with open_store(store) as opened:
        run = opened.runs.find(run_id)
        document = _run(opened, run) if uid is None else _item(opened, run, uid)
    if form == "json":
        echo(json.dumps(document, indent=2))
        return
    _print(rendering.run(document) if uid is None else rendering.item(document))


def _print(rendered: RenderableType) -> None:
    from judgeharness.reports.text import Console

    Console().print(rendered)


def _run(store: Store, run: Run) -> dict[str, Any]:
    task = store.runs.task(run.task_digest)
    about = {"name": task.name, "split": task.split, "labels": task.labels, "items": task.n_items}
    predictions = store.runs.predictions(run.id)
    return {
        "id": run.id,
        "created": run.created,
        "strategy": run.strategy,
        "transform": run.transform,
        "temperature": run.temperature,
        "n_items": run.n_items,
        "n_failed": run.n_failed,
        "metrics": dict(run.metrics),
        "failures": {p.uid: p.failure for p in predictions if p.failure is not None},
        "backend": {"name": run.backend, **store.answers.description(run.backend_digest)},
        "task": {**about, **task.record.document()},
        "record": run.record.document(),
        "session": store.sessions.find(run.session_id).document(),
    }


def _item(store: Store, run: Run, uid: str) -> dict[str, Any]:
    from judgeharness.domain.errors import UnknownNameError

    items = {item.uid: item for item in store.runs.items(run.task_digest)}
    if uid not in items:
        raise UnknownNameError(f"item of run {run.id}", uid, items)
    prediction = next(each for each in store.runs.predictions(run.id) if each.uid == uid)
    scores = None if prediction.score_key is None else store.answers.scores(prediction.score_key)
    written = [texts for key in prediction.text_keys if (texts := store.answers.texts(key)) is not None]
    item = items[uid]
    return {
        "run": run.id,
        "uid": uid,
        "labels": store.runs.task(run.task_digest).labels,
        "human": item.human,
        "votes": item.votes,
        "references": dict(item.references),
        "model": prediction.probabilities,
        "failure": prediction.failure,
        "kind": None if scores is None else scores.kind,
        "scores": None if scores is None else scores.scores.tolist(),
        "options_mass": None if scores is None or scores.mass is None else scores.mass.tolist(),
        "texts": [list(each.texts) for each in written],
        "cut": [list(each.cut) for each in written],
    }
