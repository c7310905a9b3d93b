"""The first stage: a classifier learns the task from hard labels, as MNLI has them, once for all soft labels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from judgeharness.content import digest, file_digest
from judgeharness.domain import Label
from judgeharness.errors import InputError
from judgeharness.finetune.classifier import Classifier
from judgeharness.finetune.recipe import Recipe
from judgeharness.finetune.training import Lesson, steps, train
from judgeharness.tasks.records import Record, read_records

NAMES = (("sentence1", "sentence2", "gold_label"), ("premise", "hypothesis", "label"))
UNDECIDED = "-"


def read_examples(path: Path, labels: Sequence[Label]) -> tuple[list[tuple[str, ...]], list[int]]:
    """Texts and labels of a JSON-lines file as MNLI has it; examples without a majority ("-") are passed over.

    Fields are sentence1, sentence2 and gold_label, or premise, hypothesis and label. Raises InputError.
    """
    if not path.is_file():
        raise InputError(f"--stage1 {path}: no such file", "a JSON-lines file as multinli_1.0_train.jsonl")
    texts: list[tuple[str, ...]] = []
    chosen: list[int] = []
    for record in read_records(path):
        first, second, label = _names(record)
        if record.values.get(label) == UNDECIDED:
            continue
        texts.append((record.text(first), record.text(second)))
        chosen.append(record.label(record.get(label), labels))
    if not texts:
        raise InputError(f"--stage1 {path}: holds no example")
    return texts, chosen


def stage1_folder(cache: Path, classifier: Classifier, path: Path, recipe: Recipe) -> Path:
    """Where the first stage's result is kept, by all that it depends on."""
    parts = [classifier.describe(), file_digest(path), recipe.stage1().second(), recipe.stage1_seed]
    return cache / "finetune" / f"stage1-{digest(parts)[:16]}"


def learn(
    classifier: Classifier,
    examples: tuple[list[tuple[str, ...]], list[int]],
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    advanced: Callable[[int], None],
) -> None:
    """Train on hard labels and keep the model in `folder`, which is there only once it is whole."""
    texts, chosen = examples
    encoded = classifier.encode(texts)
    hard = np.eye(len(labels))[np.array(chosen)]
    work = folder.with_suffix(".part")
    lesson = Lesson(encoded, hard, encoded, hard)
    model = train(classifier, lesson, recipe.stage1(), recipe.stage1_seed, work / "checkpoints", advanced)
    model.save_pretrained(work / "model")
    classifier.tokenizer.save_pretrained(work / "model")
    (work / "model").rename(folder)
    shutil.rmtree(work, ignore_errors=True)


def stage1_steps(examples: int, recipe: Recipe) -> int:
    """How many steps the first stage takes."""
    return steps(examples, recipe.stage1())


def _names(record: Record) -> tuple[str, str, str]:
    for names in NAMES:
        if names[0] in record.values:
            return names
    raise record.fault("has neither sentence1, sentence2 and gold_label nor premise, hypothesis and label")
