"""The first stage: a classifier learns the task from hard labels, such as MNLI's, once for all sets of soft labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from judgeharness.domain.files import writing
from judgeharness.domain.hashes import digest, file_digest
from judgeharness.domain.scratch import UNFINISHED, resumable
from judgeharness.finetune.classifier import Classifier
from judgeharness.finetune.examples import Examples
from judgeharness.finetune.recipe import Recipe
from judgeharness.finetune.training import Lesson, steps, train


def stage1_folder(cache: Path, classifier: Classifier, path: Path, recipe: Recipe) -> Path:
    """Return the folder for the first stage's result. Its name depends on everything that the result depends on."""
    parts = [classifier.describe(), file_digest(path), recipe.stage1().second(), recipe.stage1_seed]
    return cache / "finetune" / f"stage1-{digest(parts)[:16]}"


def learn(
    classifier: Classifier,
    examples: Examples,
    labels: Sequence[str],
    recipe: Recipe,
    folder: Path,
    advanced: Callable[[int], None],
) -> None:
    """Train on hard labels and save the model in `folder`, which exists only once it is complete."""
    texts, chosen = examples
    encoded = classifier.encode(texts)
    hard = np.eye(len(labels))[np.array(chosen)]
    lesson = Lesson(encoded, hard, encoded, hard)
    with resumable(folder.with_name(folder.name + UNFINISHED), "this first stage") as work:
        model = train(classifier, lesson, recipe.stage1(), recipe.stage1_seed, work / "checkpoints", advanced)
        with writing(work):
            model.save_pretrained(work / "model")
            classifier.tokenizer.save_pretrained(work / "model")
            (work / "model").rename(folder)


def stage1_steps(examples: int, recipe: Recipe) -> int:
    """Return how many steps the first stage takes."""
    return steps(examples, recipe.stage1())
