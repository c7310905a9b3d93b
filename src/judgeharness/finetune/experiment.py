"""Compare sets of soft labels: train the same classifier on each of them, and measure it on held-out items."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from judgeharness.domain.errors import InputError
from judgeharness.domain.files import make_folder
from judgeharness.domain.hashes import digest, file_digest
from judgeharness.domain.nouns import FloatArray, Prediction
from judgeharness.domain.scratch import UNFINISHED, resumable, unfinished
from judgeharness.evaluation.progress import Watcher
from judgeharness.evaluation.versions import session_record
from judgeharness.finetune import KIND, stage1
from judgeharness.finetune.classifier import Classifier, Encoded
from judgeharness.finetune.examples import read_examples
from judgeharness.finetune.labels import SoftLabels, texts
from judgeharness.finetune.recipe import Recipe
from judgeharness.finetune.training import Lesson, placement, probabilities, steps, train
from judgeharness.metrics.measure import Measure, applicable, measure
from judgeharness.plugins.loading import Plugin
from judgeharness.store.database import Store
from judgeharness.store.records import RunRecord, TrainingRecord
from judgeharness.store.runs import Run
from judgeharness.tasks.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What is to be compared.

    Attributes:
        task: The items to train on, in the order of the soft labels.
        held_out: Other splits of the same task. The first one is the development split.
        labels: The sets of soft labels to compare.
        model: The name of the model to fine-tune.
        recipe: The hyperparameters.
        seeds: The seeds. The classifier is trained with each of them on each set of soft labels.
        fields: The texts that the classifier reads; empty for the usual ones.
        first: A file of hard labels for a first stage.
        cache: The folder for models and checkpoints.
        arguments: The command line, for the record.
        plugins: The plugins, for the record.
    """

    task: Task
    held_out: Sequence[Task]
    labels: Sequence[SoftLabels]
    model: str
    recipe: Recipe
    seeds: Sequence[int]
    fields: Sequence[str] = ()
    first: Path | None = None
    cache: Path
    arguments: Sequence[str] = ()
    plugins: Sequence[Plugin] = ()


class Experiment:
    """Checks everything, trains with each set of soft labels and each seed, and stores a run per held-out split."""

    def __init__(self, comparison: Comparison, watcher: Watcher) -> None:
        given = comparison
        self._given = given
        self._watcher = watcher
        self._names = [label.name for label in given.task.labels]
        self._classifier = Classifier(given.model, given.recipe, self._names)
        self._texts = {task.split: texts(task, given.fields) for task in (given.task, *given.held_out)}
        self._examples = None if given.first is None else read_examples(given.first, given.task.labels)
        self._session = secrets.token_hex(6)
        if not given.held_out:
            raise InputError(
                f"task {given.task.name} has no other split to measure on", "'[[splits]]' in its file names them"
            )

    def run(self, store: Store, measures: Mapping[str, Measure]) -> list[Run]:
        """Train, measure and store.

        Returns the runs in the order of labels, seeds and splits. Runs that are already in the store are not trained
        again.
        """
        given = self._given
        make_folder(self._cache)
        with store.sessions.recorded(self._session, session_record(given.arguments, given.plugins)):
            for task in given.held_out:
                store.runs.add_task(task)
            trainings = ((labels, seed) for labels in given.labels for seed in given.seeds)
            runs = [run for labels, seed in trainings for run in self._one(labels, seed, store, measures)]
        others = unfinished(self._cache)
        if others:
            whose = f"{len(others)} unfinished trainings of earlier calls are in {self._cache}"
            self._watcher.note(f"{whose}: the same calls resume them; delete what is not needed any more")
        return runs

    @property
    def _cache(self) -> Path:
        return self._given.cache / "finetune"

    def _one(self, labels: SoftLabels, seed: int, store: Store, measures: Mapping[str, Measure]) -> list[Run]:
        group = self._description(labels)
        description = {**group, "seed": seed}
        ids = [digest([task.digest, description])[:12] for task in self._given.held_out]
        known = {run.id: run for run in store.runs.all()}
        if all(each in known for each in ids):
            self._watcher.note(f"{self._given.model} on {labels.name}, seed {seed}: in the store")
            return [known[each] for each in ids]
        begun = time.monotonic()
        predicted, cut = self._trained(labels, seed, digest(description)[:16])
        facts = {
            "labels": labels.name,
            "labels_run": labels.run,
            "seed": seed,
            "group": digest(group)[:12],
            "stage1": None if self._given.first is None else self._given.first.name,
            "seconds": round(time.monotonic() - begun, 3),
            "items_cut": cut,
            "label_metrics": self._of_labels(labels, measures),
            "recipe": self._given.recipe.model_dump(mode="json"),
            "departures": self._given.recipe.departures(),
        }
        store.answers.add_backend(digest(description), description)
        return [
            self._save(run_id, task, rows, description, facts, store, measures)
            for run_id, task, rows in zip(ids, self._given.held_out, predicted, strict=True)
        ]

    def _of_labels(self, labels: SoftLabels, measures: Mapping[str, Measure]) -> dict[str, float | None]:
        """Measure how close the soft labels are to people, on the items to train on."""
        task = self._given.task
        given = [Prediction(item.uid, tuple(row)) for item, row in zip(task.items, labels.rows.tolist(), strict=True)]
        return measure(task.items, given, applicable(measures, task.definition.ordinal))

    def _description(self, labels: SoftLabels) -> dict[str, Any]:
        given = self._given
        return {
            "backend": KIND,
            **self._classifier.describe(),
            "recipe": given.recipe.second(),
            "placement": placement(given.recipe),
            "stage1": None if given.first is None else self._first_stage(given.first),
            "fields": list(given.fields),
            "task": given.task.digest,
            "labels": labels.digest,
        }

    def _first_stage(self, file: Path) -> dict[str, Any]:
        recipe = self._given.recipe
        return {"file": file_digest(file), "recipe": recipe.stage1().second(), "seed": recipe.stage1_seed}

    def _trained(self, labels: SoftLabels, seed: int, name: str) -> tuple[list[FloatArray], dict[str, int]]:
        given = self._given
        classifier, encoded = self._ready
        development = given.held_out[0]
        lesson = Lesson(encoded[given.task.split], labels.rows, encoded[development.split], development.human)
        title = f"{given.model} on {labels.name}, seed {seed}"
        with resumable(self._cache / f"training-{name}{UNFINISHED}", f"the training of {title}") as work:
            self._watcher.started(title, steps(len(given.task.items), given.recipe))
            try:
                model = train(classifier, lesson, given.recipe, seed, work, self._watcher.advanced)
            finally:
                self._watcher.finished()
            predicted = [probabilities(model, classifier, encoded[task.split]) for task in given.held_out]
        return predicted, {split: each.cut for split, each in encoded.items() if each.cut}

    @cached_property
    def _ready(self) -> tuple[Classifier, Mapping[str, Encoded]]:
        """The classifier to train, and the tokenized texts by split, shared by all trainings."""
        classifier = self._starting()
        encoded = {split: classifier.encode(found) for split, found in self._texts.items()}
        for split, each in encoded.items():
            if each.cut:
                of = f"{each.cut:,} of {len(each.rows):,} items"
                self._watcher.note(f"{split}: {of} are longer than {self._given.recipe.max_length} tokens, and cut")
        return classifier, encoded

    def _starting(self) -> Classifier:
        """Return the model, or the result of the first stage."""
        given = self._given
        if given.first is None or self._examples is None:
            return self._classifier
        folder = stage1.stage1_folder(given.cache, self._classifier, given.first, given.recipe)
        if not folder.is_dir():
            total = stage1.stage1_steps(len(self._examples[0]), given.recipe)
            self._watcher.started(f"{given.model} on {given.first.name}", total)
            try:
                stage1.learn(
                    self._classifier, self._examples, self._names, given.recipe, folder, self._watcher.advanced
                )
            finally:
                self._watcher.finished()
        return Classifier(
            str(folder), given.recipe.model_copy(update={"head": "auto", "label_order": None}), self._names
        )

    def _save(
        self,
        run_id: str,
        task: Task,
        rows: FloatArray,
        description: Mapping[str, Any],
        facts: Mapping[str, Any],
        store: Store,
        measures: Mapping[str, Measure],
    ) -> Run:
        predictions = [Prediction(item.uid, tuple(row)) for item, row in zip(task.items, rows.tolist(), strict=True)]
        run = Run(
            id=run_id,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            session_id=self._session,
            task_digest=task.digest,
            task=task.name,
            split=task.split,
            backend=f"{KIND}:{self._given.model} on {facts['labels']}, seed {facts['seed']}",
            backend_digest=digest(dict(description)),
            strategy=None,
            transform=None,
            temperature=None,
            n_items=len(predictions),
            n_failed=0,
            metrics=measure(task.items, predictions, applicable(measures, task.definition.ordinal)),
            record=RunRecord(strategy=None, transform=None, finetune=TrainingRecord.model_validate(dict(facts))),
        )
        store.runs.save(run, predictions)
        return run
