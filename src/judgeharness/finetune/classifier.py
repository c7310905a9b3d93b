"""A classifier loaded by the name of a model: its files, its tokenizer, and a head with labels in the task's order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import transformers

from judgeharness.backends import hub
from judgeharness.backends.aliases import packaged_encoder
from judgeharness.backends.source import find_source, fingerprint, require_safetensors
from judgeharness.domain.errors import HarnessError, InputError, first_line
from judgeharness.finetune.recipe import Recipe

TokenIds = npt.NDArray[np.int32]

CHUNK = 10_000
GENERIC = re.compile(r"LABEL_\d+")
ENCODER = "an encoder such as bert-base-uncased, or a folder with one"


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """The tokens of each item, as tokenizers return them, and how many items were truncated."""

    rows: tuple[dict[str, TokenIds], ...]
    cut: int

    def row(self, place: int) -> dict[str, list[int]]:
        """Return one item's row in the form that tokenizers pad."""
        return {name: values.tolist() for name, values in self.rows[place].items()}


class Classifier:
    """An encoder with its name. It is described before its weights are loaded, and loaded again for every training."""

    def __init__(self, model: str, recipe: Recipe, labels: Sequence[str]) -> None:
        transformers.utils.logging.set_verbosity_error()
        transformers.utils.logging.disable_progress_bar()
        self.name = model
        self._recipe = recipe
        self._labels = tuple(labels)
        self._order = self._head_order()

    def describe(self) -> dict[str, Any]:
        """Return the model's name and content, and whether it keeps its own head."""
        return {
            "model": self.name,
            "revision": self._hub.commit if self._hub else None,
            "fingerprint": None if self._hub else fingerprint(find_source(str(self.folder), "finetune")),
            "head": "new" if self._order is None else "the model's",
        }

    def encode(self, texts: Sequence[tuple[str, ...]]) -> Encoded:
        """Tokenize one or two texts of each item, and truncate them to the recipe's length, the longer text first."""
        rows: list[dict[str, TokenIds]] = []
        cut = 0
        for start in range(0, len(texts), CHUNK):
            columns = [list(column) for column in zip(*texts[start : start + CHUNK], strict=True)]
            whole = self.tokenizer(*columns)["input_ids"]
            short = self.tokenizer(*columns, truncation=True, max_length=self._length)
            cut += sum(len(before) > len(after) for before, after in zip(whole, short["input_ids"], strict=True))
            rows += [
                {name: np.array(values[place], dtype=np.int32) for name, values in short.items()}
                for place in range(len(whole))
            ]
        return Encoded(tuple(rows), cut)

    def load(self) -> Any:
        """Load the model with its weights and a head for the labels. Raises HarnessError."""
        extra: dict[str, Any] = {}
        if self._order is None:
            extra = {"num_labels": len(self._labels), "ignore_mismatched_sizes": True}
        with _foreign_files(f"{self.name} cannot be loaded as a classifier"):
            model = transformers.AutoModelForSequenceClassification.from_pretrained(
                self._weights, dtype=torch.float32, **extra
            )
        if self._order is not None:
            reorder_head(model, self._order)
        model.config.id2label = dict(enumerate(self._labels))
        model.config.label2id = {label: place for place, label in enumerate(self._labels)}
        return model

    @cached_property
    def tokenizer(self) -> Any:
        """The model's tokenizer. Raises HarnessError."""
        with _foreign_files(f"{self.name} has no tokenizer that loads"):
            return transformers.AutoTokenizer.from_pretrained(self.folder)

    @cached_property
    def folder(self) -> Path:
        """The folder with its configuration and tokenizer. Raises InputError and HarnessError."""
        if self._hub is not None:
            return hub.small_files(self._hub, with_code=False)
        path = self._local
        require_safetensors(path)
        return path

    @cached_property
    def _local(self) -> Path:
        packaged = packaged_encoder(self.name)
        if packaged is not None:
            return packaged
        source = find_source(self.name, "finetune")
        if source.kind != "folder" or source.path is None:
            raise InputError(f"{self.name}: not a model to fine-tune", f"name {ENCODER}")
        return source.path

    @cached_property
    def _hub(self) -> hub.HubModel | None:
        if packaged_encoder(self.name) is not None:
            return None
        source = find_source(self.name, "finetune")
        return (
            hub.find_model(source.name, self._recipe.revision) if source.kind == "hub" and source.file is None else None
        )

    @cached_property
    def _weights(self) -> Path:
        return self.folder if self._hub is None else hub.all_files(self._hub, with_code=False)

    @cached_property
    def _length(self) -> int:
        known = [self._recipe.max_length, int(self.tokenizer.model_max_length)]
        return min(known)

    def _head_order(self) -> list[int] | None:
        """Return the row of the model's own head for each label, or None for a new head.

        Raises InputError if they differ.
        """
        with _foreign_files(f"{self.name} cannot be read"):
            config = transformers.AutoConfig.from_pretrained(self.folder)
        kinds = config.architectures or []
        if self._recipe.head == "new" or not any(kind.endswith("ForSequenceClassification") for kind in kinds):
            return None
        named = [config.id2label[place] for place in range(config.num_labels)]
        return head_order(self.name, named, self._labels, self._recipe.label_order)


@contextmanager
def _foreign_files(what: str) -> Iterator[None]:
    """Turn anything wrong with files from elsewhere into a HarnessError that says what could not be done."""
    try:
        yield
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"{what}: {first_line(error)}") from error


def head_order(model: str, named: Sequence[str], labels: Sequence[str], stated: str | None) -> list[int]:
    """Return for each of `labels` its index among a head's labels.

    Args:
        model: The model's name, for messages.
        named: The labels as the model names them.
        labels: The task's labels.
        stated: The labels as the user names them, separated by commas, for a model that does not name them.

    Raises:
        InputError: The head's labels are not the task's labels.
    """
    own = [word.strip() for word in stated.split(",")] if stated is not None else list(named)
    if stated is not None and len(own) != len(named):
        raise InputError(f"label_order names {len(own)} labels, and the head of {model} has {len(named)}")
    places = {word.lower(): place for place, word in enumerate(own)}
    if sorted(places) == sorted(label.lower() for label in labels):
        return [places[label.lower()] for label in labels]
    hint = "-o head=new draws a new head"
    if stated is None and all(GENERIC.fullmatch(word) for word in named) and len(named) == len(labels):
        raise InputError(
            f"{model} has a head for {len(named)} labels and does not name them",
            f"-o label_order={','.join(labels)} (in the order of its head) names them; {hint}",
        )
    raise InputError(f"the head of {model} is for {', '.join(own)}, the task's labels are {', '.join(labels)}", hint)


def reorder_head(model: Any, order: Sequence[int]) -> None:
    """Reorder the rows of a classification head, the last linear layer with as many outputs as labels."""
    heads = [part for part in model.modules() if isinstance(part, torch.nn.Linear) and part.out_features == len(order)]
    if not heads:
        raise HarnessError(f"the head of {type(model).__name__} has no linear layer to put into order")
    rows = torch.tensor(list(order))
    with torch.no_grad():
        heads[-1].weight.copy_(heads[-1].weight[rows].clone())
        if heads[-1].bias is not None:
            heads[-1].bias.copy_(heads[-1].bias[rows].clone())
