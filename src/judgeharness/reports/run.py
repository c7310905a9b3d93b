"""One run, or one of its items, for the console."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.domain.errors import UnknownNameError
from judgeharness.reports.text import figure, plain
from judgeharness.store.database import Store
from judgeharness.store.runs import Run

BAR = 30
MAX_ROWS = 24


def run(document: Mapping[str, Any]) -> RenderableType:
    """Show a run's document from `run_document`, with one line for each nested key and multi-line texts at the end."""
    table = _grid()
    lines = [line for key, value in document.items() for line in _lines(key, value)]
    for name, text in lines:
        if "\n" not in text:
            table.add_row(plain(name, "bold"), plain(text))
    return Group(
        table, *(part for name, text in lines if "\n" in text for part in (Text(), plain(name, "bold"), plain(text)))
    )


def item(document: Mapping[str, Any]) -> RenderableType:
    """Show an item's document from `item_document`. Distributions are bars; generated texts and scores follow."""
    labels = document["labels"]
    parts: list[RenderableType] = [plain(f"{document['uid']} in run {document['run']}", "bold"), Text()]
    parts.append(_bars(labels, "human", document["human"]))
    if document["model"] is None:
        parts.append(plain(f"model: {document['failure']}", "bold red"))
    else:
        parts.append(_bars(labels, "model", document["model"]))
    for name, shares in document["references"].items():
        parts.append(_bars(labels, name, shares))
    for number, (texts, cut) in enumerate(zip(document["texts"], document["cut"], strict=True), start=1):
        parts += [Text(), _texts(number, texts, cut)]
    if document["scores"] is not None:
        parts += [Text(), _scores(document)]
    return Group(*parts)


def _grid() -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _lines(name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _lines(f"{name}.{key}", inner)
    elif isinstance(value, float):
        yield name, f"{value:.6g}"
    elif isinstance(value, list | tuple):
        yield name, ", ".join(str(each) for each in value)
    elif value is not None and value != "" and value != {}:
        yield name, value if isinstance(value, str) else json.dumps(value)


def _bars(labels: Sequence[str], name: str, shares: Sequence[float]) -> Table:
    table = _grid()
    for index, (label, share) in enumerate(zip(labels, shares, strict=True)):
        bar = "█" * round(share * BAR)
        table.add_row(plain(f"{name if index == 0 else '':>12}"), plain(f"{label:<14}"), Text(f"{share:.3f} {bar}"))
    return table


def _texts(number: int, texts: Sequence[str], cut: Sequence[bool]) -> Table:
    more = "" if len(texts) <= MAX_ROWS else f", the first {MAX_ROWS} of {len(texts)} (--format json has all)"
    head = "what it wrote" if number == 1 else f"what it wrote then ({number})"
    table = Table(box=box.SIMPLE_HEAD, title=plain(head + more), title_justify="left", show_lines=True)
    table.add_column("prompt", justify="right")
    table.add_column("text", overflow="fold")
    for index, (text, is_cut) in enumerate(zip(texts[:MAX_ROWS], cut, strict=False), start=1):
        table.add_row(str(index), plain(text + (" [truncated]" if is_cut else "")))
    return table


def _scores(document: Mapping[str, Any]) -> Table:
    rows = document["scores"]
    more = "" if len(rows) <= MAX_ROWS else f", the first {MAX_ROWS} of {len(rows)} prompts (--format json has all)"
    table = Table(box=box.SIMPLE_HEAD, title=plain(f"{document['kind']}s by prompt{more}"), title_justify="left")
    table.add_column("prompt", justify="right")
    for label in document["labels"]:
        table.add_column(plain(label), justify="right")
    for index, row in enumerate(rows[:MAX_ROWS], start=1):
        table.add_row(str(index), *(figure(value) for value in row))
    return table


def run_document(store: Store, run: Run) -> dict[str, Any]:
    """Return how a run was done and what came out, as plain JSON data."""
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


def item_document(store: Store, run: Run, uid: str) -> dict[str, Any]:
    """Return what a run holds about one item, as plain JSON data. Raises UnknownNameError if it has no such item."""
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
