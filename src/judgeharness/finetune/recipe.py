"""How a classifier is fine-tuned: the paper's recipe, every number of it an option."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from judgeharness.plugins.options import Options


class Recipe(Options):
    """Hyperparameters of soft cross-entropy fine-tuning; defaults as in Chen et al. 2024, second stage.

    epochs: passes over the items. learning_rate: at the start, then linearly to zero, after a share `warmup` of the
    steps. batch_size: items a step. max_length: tokens of an item; longer ones are cut, and counted. weight_decay,
    max_grad_norm: of AdamW. checkpoint: the last one, or that with the best macro F1 on the development split.
    dtype: bfloat16 is used on CUDA where it is there. head: `new` draws a new classification head even where the model
    has one; label_order: the labels of the model's head, separated by commas, where it does not name them.
    stage1_epochs, stage1_batch_size, stage1_seed: of the first stage, on hard labels, where there is one.
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
        """The recipe of the first stage, on hard labels."""
        return self.model_copy(
            update={"epochs": self.stage1_epochs, "batch_size": self.stage1_batch_size, "checkpoint": "last"}
        )

    def departures(self) -> dict[str, object]:
        """What of the second stage is not as in the paper."""
        usual = Recipe().second()
        return {name: value for name, value in self.second().items() if value != usual[name]}

    def second(self) -> dict[str, object]:
        """What the second stage depends on, for the record."""
        return self.model_dump(
            mode="json", exclude={"stage1_epochs", "stage1_batch_size", "stage1_seed", "device", "dtype"}
        )
