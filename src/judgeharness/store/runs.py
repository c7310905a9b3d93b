"""Runs: what was evaluated, the predictions, their metrics, and the record of how it was done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Item, Prediction
from judgeharness.store import shapes
from judgeharness.store.answers import FAULTY
from judgeharness.store.records import RunRecord, TaskRecord
from judgeharness.store.rows import damaged, insert, intact, reading, require
from judgeharness.store.schema import COLUMNS
from judgeharness.store.transactions import transaction
from judgeharness.tasks.published import Published
from judgeharness.tasks.task import Task


@dataclass(frozen=True, slots=True)
class Run:
    """One row of a leaderboard. `strategy` and `transform` are None for baselines.

    Attributes:
        metrics: The metrics by name; None if a metric is undefined.
        record: How the run was done.
    """

    id: str
    created: str
    session_id: str
    task_digest: str
    task: str
    split: str
    backend: str
    backend_digest: str
    strategy: str | None
    transform: str | None
    temperature: float | None
    n_items: int
    n_failed: int
    metrics: Mapping[str, float | None]
    record: RunRecord

    @property
    def name(self) -> str:
        """Backend, strategy, transform and temperature, for display."""
        tau = "" if self.temperature is None else f"τ={self.temperature:g}"
        return " ".join(part for part in (self.backend, self.way, self.transform, tau) if part)

    @property
    def explanations(self) -> str:
        """The name of the explanations that the model was shown, if they are not the task's own."""
        return self.record.explanations.name if self.record.explanations else ""

    @property
    def is_finetuned(self) -> bool:
        """Whether this is a classifier that `judgeharness finetune` trained, and not a judge."""
        return self.record.finetune is not None

    @property
    def is_baseline(self) -> bool:
        """Whether this is a baseline, which no model or file of a judge stands behind."""
        return self.backend.startswith("baseline:")

    @property
    def way(self) -> str:
        """The strategy and the name of the explanations, for display. It is empty if there is no strategy."""
        return (
            f"{self.strategy or ''} (explanations: {self.explanations})" if self.explanations else self.strategy or ""
        )


@dataclass(frozen=True, slots=True)
class StoredTask:
    """What the store knows about a task. It suffices for leaderboards without the data files."""

    digest: str
    name: str
    split: str
    labels: tuple[str, ...]
    n_items: int
    n_total: int
    record: TaskRecord

    @property
    def published(self) -> Published | None:
        """Published results, if they are for exactly these items."""
        with reading(f"task {self.digest[:12]}"):
            found = self.record.parsed()
        return found if found is not None and found.items == self.n_items == self.n_total else None


class Runs:
    """The tables `tasks`, `items`, `runs`, `predictions` and `metrics`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def add_task(self, task: Task) -> None:
        """Save a task's items, without texts, under its digest. The task's record is updated if it exists."""
        definition = task.definition
        record = TaskRecord(
            title=definition.title,
            licence=definition.licence,
            homepage=definition.homepage,
            citation=definition.citation.strip(),
            notice=definition.notice,
            ordinal=definition.ordinal,
            files=dict(task.files),
            published=None if task.published is None else task.published.model_dump(mode="json"),
            clusters=_numbered([item.cluster for item in task.items]),
        )
        # The digest hashes all items, so it is computed only once.
        digest = task.digest
        with transaction(self._connection):
            row = {
                "digest": digest,
                "name": task.name,
                "split": task.split,
                "labels": json.dumps([label.name for label in task.labels]),
                "n_items": len(task.items),
                "n_total": task.total,
                "record": record.text(),
            }
            if insert(self._connection, "tasks", [row], known="digest"):
                rows = (_item_row(digest, position, item) for position, item in enumerate(task.items))
                insert(self._connection, "items", rows)
            else:
                self._connection.execute("UPDATE tasks SET record = ? WHERE digest = ?", (row["record"], digest))

    def task(self, digest: str) -> StoredTask:
        """Return the task with a digest."""
        what = f"task {digest[:12]}"
        with reading(what):
            whole, name, split, labels, n_items, n_total, record = self._connection.execute(
                f"SELECT {intact('tasks')}, name, split, labels, n_items, n_total, record FROM tasks WHERE digest = ?",
                (digest,),
            ).fetchone()
            require(whole, what)
            return StoredTask(
                digest=digest,
                name=name,
                split=split,
                labels=shapes.words(labels),
                n_items=n_items,
                n_total=n_total,
                record=TaskRecord.parse(record),
            )

    def items(self, task_digest: str) -> list[Item]:
        """Return a task's items in order, without texts."""
        rows = self._connection.execute(
            f"SELECT {intact('items')}, uid, human, votes, refs FROM items WHERE task_digest = ? ORDER BY position",
            (task_digest,),
        )
        task = self.task(task_digest)
        items = [_item(len(task.labels), *row) for row in rows]
        clusters = task.record.clusters
        if len(items) != task.n_items or (clusters is not None and len(clusters) != len(items)):
            raise damaged(f"task {task_digest[:12]} has {len(items):,} of {task.n_items:,} items")
        if clusters is None:
            return items
        return [replace(item, cluster=str(number)) for item, number in zip(items, clusters, strict=True)]

    def save(self, run: Run, predictions: Sequence[Prediction]) -> None:
        """Save a run with its predictions and metrics. It replaces an earlier run with the same id."""
        with transaction(self._connection):
            self._connection.execute("DELETE FROM runs WHERE id = ?", (run.id,))
            row = {name: getattr(run, name) for name in COLUMNS["runs"] if name != "record"}
            insert(self._connection, "runs", [{**row, "record": run.record.text()}])
            insert(self._connection, "predictions", (_prediction_row(run.id, each) for each in predictions))
            measured = ({"run_id": run.id, "name": name, "value": value} for name, value in run.metrics.items())
            insert(self._connection, "metrics", measured)

    def all(self) -> list[Run]:
        """Return every run, oldest first."""
        rows = self._connection.execute(f"{_RUN_QUERY} ORDER BY runs.created, runs.id")
        return [self._run(row) for row in rows]

    def backends(self, edition: int) -> list[tuple[str, bool, Mapping[str, Any]]]:
        """Return the digest of each backend, whether any of its runs has at least this edition, and its description."""
        rows = self._connection.execute(
            "SELECT backends.digest, max(coalesce(json_extract(runs.record, '$.edition'), 1)) >= ?,"
            f" backends.description FROM runs JOIN backends ON backends.digest = runs.backend_digest"
            f" WHERE {intact('backends')} AND {intact('runs')} GROUP BY backends.digest",
            (edition,),
        )
        with reading("a backend's description"):
            return [(digest, bool(current), shapes.mapping(text)) for digest, current, text in rows]

    def faulty(self, run_id: str) -> int:
        """Return how many of a run's answers hold numbers that earlier versions mistook for log-probabilities."""
        query = (
            "SELECT count(*) FROM predictions JOIN scores ON scores.key = predictions.score_key"
            f" WHERE predictions.run_id = ? AND {FAULTY}"
        )
        count: int = self._connection.execute(query, (run_id,)).fetchone()[0]
        return count

    def find(self, prefix: str) -> Run:
        """Return the run whose id starts with `prefix`. Raises InputError if none or several do."""
        rows = self._connection.execute(
            f"{_RUN_QUERY} WHERE substr(runs.id, 1, ?) = ? ORDER BY runs.id", (len(prefix), prefix)
        ).fetchall()
        if not rows:
            raise InputError(f"no run '{prefix}' in this store", "'judgeharness leaderboard' lists the runs")
        if len(rows) > 1:
            raise InputError(f"'{prefix}' fits {len(rows)} runs: {', '.join(row[1] for row in rows[:5])}")
        return self._run(rows[0])

    def predictions(self, run_id: str) -> list[Prediction]:
        """Return a run's predictions in the order of the task's items."""
        rows = self._connection.execute(
            f"SELECT {intact('predictions')}, predictions.uid, probabilities, failure, score_key, text_keys"
            " FROM predictions JOIN runs ON runs.id = predictions.run_id"
            " JOIN items ON items.task_digest = runs.task_digest AND items.uid = predictions.uid"
            " WHERE predictions.run_id = ? ORDER BY items.position",
            (run_id,),
        )
        run = self._connection.execute("SELECT task_digest, n_items FROM runs WHERE id = ?", (run_id,)).fetchone()
        if run is None:
            return []
        labels = len(self.task(run[0]).labels)
        found = [_prediction(run_id, labels, *row) for row in rows]
        if len(found) != run[1]:
            raise damaged(f"run {run_id} has {len(found):,} of {run[1]:,} predictions")
        return found

    def seconds(self, run_id: str) -> float | None:
        """Estimate how many seconds the run's answers took, or return None if it has too few answers to tell.

        For each session, and for scores and texts separately, this is the time from the first to the last stored
        answer, plus the mean time of one answer for the first.
        """
        spans = self._connection.execute(
            "SELECT strftime('%s', max(created)) - strftime('%s', min(created)), count(*) FROM ("
            " SELECT s.created, s.session_id, 'scores' AS kind FROM scores s"
            " JOIN predictions p ON p.score_key = s.key WHERE p.run_id = ?1"
            " UNION ALL SELECT t.created, t.session_id, 'texts' FROM predictions p, json_each(p.text_keys) k"
            " JOIN texts t ON t.key = k.value WHERE p.run_id = ?1"
            ") GROUP BY session_id, kind",
            (run_id,),
        ).fetchall()
        found = [span * count / (count - 1) for span, count in spans if count > 1]
        return sum(found) if found else None

    def _run(self, row: Sequence[Any]) -> Run:
        whole, *values, record = row
        what = f"run {values[0]}"
        require(whole, what)
        measured = self._connection.execute(
            f"SELECT name, value, {intact('metrics')} FROM metrics WHERE run_id = ?", (values[0],)
        )
        metrics: dict[str, float | None] = {}
        for name, value, same in measured:
            require(same, f"metric {name} of {what}")
            metrics[name] = value
        names = [field.name for field in fields(Run) if field.name not in ("metrics", "record")]
        with reading(what):
            return Run(**dict(zip(names, values, strict=True)), metrics=metrics, record=RunRecord.parse(record))


_RUN_QUERY = (
    f"SELECT {intact('runs')}, runs.id, runs.created, runs.session_id, runs.task_digest, tasks.name, tasks.split,"
    " runs.backend, runs.backend_digest, runs.strategy, runs.transform, runs.temperature, runs.n_items, runs.n_failed,"
    " runs.record FROM runs JOIN tasks ON tasks.digest = runs.task_digest"
)


def _item_row(digest: str, position: int, item: Item) -> dict[str, Any]:
    return {
        "task_digest": digest,
        "position": position,
        "uid": item.uid,
        "human": json.dumps(item.human),
        "votes": _json_or_none(item.votes),
        "refs": json.dumps(dict(item.references), sort_keys=True),
    }


def _numbered(clusters: Sequence[str | None]) -> list[int] | None:
    """Return clusters as numbers, in the order of their first items. It is None if items have none."""
    numbers = {name: number for number, name in enumerate(dict.fromkeys(clusters))}
    return None if None in numbers else [numbers[name] for name in clusters]


def _item(labels: int, whole: object, uid: str, human: str, votes: str | None, refs: str) -> Item:
    what = f"item '{uid}'"
    require(whole, what)
    with reading(what):
        references = {
            name: shapes.distribution(json.dumps(shares), labels) for name, shares in shapes.mapping(refs).items()
        }
        counts = None if votes is None else shapes.numbers(votes, labels)
        return Item(uid, {}, shapes.distribution(human, labels), counts, (), references)


def _prediction_row(run_id: str, prediction: Prediction) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "uid": prediction.uid,
        "score_key": prediction.score_key,
        "probabilities": _json_or_none(prediction.probabilities),
        "failure": prediction.failure,
        "text_keys": json.dumps(prediction.text_keys),
    }


def _prediction(
    run_id: str,
    labels: int,
    whole: object,
    uid: str,
    shares: str | None,
    failure: str | None,
    key: str | None,
    texts: str,
) -> Prediction:
    what = f"the prediction for '{uid}' in run {run_id}"
    require(whole, what)
    with reading(what):
        probabilities = None if shares is None else shapes.distribution(shares, labels)
        return Prediction(uid, probabilities, failure, key, shapes.words(texts))


def _json_or_none(values: Sequence[float] | None) -> str | None:
    return None if values is None else json.dumps(values)
