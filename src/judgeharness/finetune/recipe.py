"""How a classifier is fine-tuned: the paper's recipe, with an option for every number in it."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from judgeharness.plugins.options import Options


class Recipe(Options):
    """Hyperparameters of fine-tuning with soft cross-entropy. Defaults are those of Chen et al. 2024, second stage.

    Attributes:
        epochs: How often each item is seen.
        learning_rate: The highest learning rate, from which it decreases linearly to zero.
        batch_size: Items per step.
        max_length: Tokens per item. Longer items are truncated and counted.
        weight_decay: The weight decay of AdamW.
        warmup: The share of steps in which the learning rate rises.
        max_grad_norm: The norm to which gradients are clipped.
        checkpoint: The last checkpoint, or the one with the best macro F1 on the development split.
        head: `new` starts with a new classification head even if the model has one.
        label_order: The labels of the model's head, separated by commas, if it does not name them.
        device: The device.
        dtype: The number format. `auto` is bfloat16 on CUDA devices that support it.
        revision: The model's revision on the hub.
        stage1_epochs: The epochs of the first stage, on hard labels.
        stage1_batch_size: The items per step of the first stage.
        stage1_seed: The seed of the first stage.
    """

    epochs: Annotated[int, Field(ge=1, le=1000)] = 5
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 2e-5
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 4
    max_length: Annotated[int, Field(ge=8, le=8192)] = 128
    weight_decay: Annotated[float, Field(ge=0, le=1)] = 0.0
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.0
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    checkpoint: Literal["last", "best-f1"] = "last"
    head: Literal["auto", "new"] = "auto"
    label_order: str | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    revision: str | None = None
    stage1_epochs: Annotated[int, Field(ge=1, le=1000)] = 3
    stage1_batch_size: Annotated[int, Field(ge=1, le=4096)] = 32
    stage1_seed: int = 42

    def stage1(self) -> Recipe:
        """Return the recipe of the first stage, on hard labels."""
        return self.model_copy(
            update={"epochs": self.stage1_epochs, "batch_size": self.stage1_batch_size, "checkpoint": "last"}
        )

    def departures(self) -> dict[str, object]:
        """Return what differs from the paper in the second stage."""
        usual = Recipe().second()
        return {name: value for name, value in self.second().items() if value != usual[name]}

    def second(self) -> dict[str, object]:
        """Return what the second stage depends on, for the record."""
        return self.model_dump(
            mode="json", exclude={"stage1_epochs", "stage1_batch_size", "stage1_seed", "device", "dtype"}
        )
