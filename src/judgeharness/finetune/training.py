"""Train with transformers' Trainer and soft cross-entropy. Interrupted trainings resume."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import FloatArray
from judgeharness.finetune.classifier import Classifier, Encoded
from judgeharness.finetune.recipe import Recipe
from judgeharness.metrics.majority import macro_f1

EVALUATION_BATCH = 32
BEST = "macro_f1"


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """What to learn from, and what to choose the best checkpoint by.

    Attributes:
        train: The items to train on.
        labels: Their soft labels, of shape (items, labels).
        development: The items to choose the best checkpoint by.
        human: Their human distributions, of shape (items, labels).
    """

    train: Encoded
    labels: FloatArray
    development: Encoded
    human: FloatArray


class Items(torch.utils.data.Dataset[dict[str, Any]]):
    """Encoded items with their soft labels."""

    def __init__(self, encoded: Encoded, labels: FloatArray) -> None:
        self._encoded = encoded
        self._labels = labels

    def __len__(self) -> int:
        return len(self._encoded.rows)

    def __getitem__(self, place: int) -> dict[str, Any]:
        return {**self._encoded.row(place), "labels": self._labels[place]}


def soft_cross_entropy(outputs: Any, labels: torch.Tensor, num_items_in_batch: Any = None) -> torch.Tensor:
    """Return -sum_j p_j log softmax(logits)_j, the mean over the batch, where p are the soft labels (items, labels)."""
    return -(labels * torch.log_softmax(outputs.logits.float(), dim=-1)).sum(dim=-1).mean()


def steps(items: int, recipe: Recipe) -> int:
    """Return how many steps a training takes."""
    return -(-items // recipe.batch_size) * recipe.epochs


def placement(recipe: Recipe) -> tuple[str, str]:
    """Return where and in which number format training runs: cpu or cuda, float32 or bfloat16.

    Raises InputError if the device is not available.
    """
    there = torch.cuda.is_available()
    if recipe.device == "cuda" and not there:
        raise InputError("device=cuda: this machine has no CUDA device", "use -o device=cpu")
    device = "cuda" if there and recipe.device != "cpu" else "cpu"
    if recipe.dtype != "auto":
        return device, recipe.dtype
    return device, "bfloat16" if device == "cuda" and torch.cuda.is_bf16_supported() else "float32"


def train(
    classifier: Classifier,
    lesson: Lesson,
    recipe: Recipe,
    seed: int,
    folder: Path,
    advanced: Callable[[int], None],
) -> Any:
    """Train a model and return it.

    Args:
        classifier: The model to train.
        lesson: The data.
        recipe: The hyperparameters.
        seed: The seed.
        folder: The folder for checkpoints, one per epoch. If it contains one, training resumes from it.
        advanced: Called with the number of steps done since the last call.

    Raises:
        InputError: The device is not available.
    """
    trainer = transformers.Trainer(
        model_init=classifier.load,
        args=_arguments(recipe, seed, folder),
        data_collator=_Collator(classifier.tokenizer),
        train_dataset=Items(lesson.train, lesson.labels),
        eval_dataset=Items(lesson.development, lesson.human),
        compute_loss_func=soft_cross_entropy,
        compute_metrics=_macro_f1,
        callbacks=[_Steps(advanced)],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    begun = transformers.trainer_utils.get_last_checkpoint(str(folder)) if folder.is_dir() else None
    trainer.train(resume_from_checkpoint=begun)
    return trainer.model


def probabilities(model: Any, classifier: Classifier, encoded: Encoded) -> FloatArray:
    """Return the classifier's distributions, of shape (items, labels)."""
    model.eval()
    collate = _Collator(classifier.tokenizer)
    found = []
    with torch.inference_mode():
        for start in range(0, len(encoded.rows), EVALUATION_BATCH):
            end = min(start + EVALUATION_BATCH, len(encoded.rows))
            batch = collate([encoded.row(place) for place in range(start, end)])
            logits = model(**{name: tensor.to(model.device) for name, tensor in batch.items()}).logits
            found.append(torch.softmax(logits.double(), dim=-1).cpu().numpy())
    result: FloatArray = np.concatenate(found)
    return result


class _Collator:
    """Pads rows of different lengths into one batch."""

    def __init__(self, tokenizer: Any) -> None:
        self._pad = transformers.DataCollatorWithPadding(tokenizer)

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        labels = [row.pop("labels") for row in rows if "labels" in row]
        batch = dict(self._pad(list(rows)))
        if labels:
            batch["labels"] = torch.tensor(np.array(labels), dtype=torch.float32)
        return batch


class _Steps(transformers.TrainerCallback):
    """Reports the steps of training. Steps from before a resumption count as done."""

    def __init__(self, advanced: Callable[[int], None]) -> None:
        self._advanced = advanced
        self._done = 0

    def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> None:
        self._advanced(state.global_step - self._done)
        self._done = state.global_step


def _arguments(recipe: Recipe, seed: int, folder: Path) -> transformers.TrainingArguments:
    device, dtype = placement(recipe)
    cuda = device == "cuda"
    by_f1 = recipe.checkpoint == "best-f1"
    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=recipe.epochs,
        learning_rate=recipe.learning_rate,
        per_device_train_batch_size=recipe.batch_size,
        per_device_eval_batch_size=EVALUATION_BATCH,
        weight_decay=recipe.weight_decay,
        warmup_steps=recipe.warmup,
        lr_scheduler_type="linear",
        max_grad_norm=recipe.max_grad_norm,
        seed=seed,
        data_seed=seed,
        use_cpu=not cuda,
        bf16=dtype == "bfloat16",
        save_strategy="epoch",
        save_total_limit=2 if by_f1 else 1,
        eval_strategy="epoch" if by_f1 else "no",
        load_best_model_at_end=by_f1,
        metric_for_best_model=BEST if by_f1 else None,
        greater_is_better=True if by_f1 else None,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        dataloader_pin_memory=cuda,
    )
    # On a machine with several GPUs the trainer would use all of them, and multiply the recipe's batch size.
    arguments._n_gpu = min(arguments.n_gpu, 1)
    return arguments


def _macro_f1(predicted: Any) -> dict[str, float]:
    logits: npt.NDArray[np.float32] = predicted.predictions
    return {BEST: macro_f1(np.asarray(predicted.label_ids, dtype=np.float64), np.asarray(logits, dtype=np.float64))}
