"""What a backend is: a model that answers prompts, or something that predicts distributions without any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from judgeharness.domain import (
    FloatArray,
    GeneratedTexts,
    Item,
    Label,
    OptionScores,
    PromptGroup,
    ScoringFailure,
)
from judgeharness.errors import HarnessError


class PromptError(HarnessError):
    """A prompt that a model cannot be given as it is meant. Others may be fine."""


Description = Mapping[str, Any]
"""What a backend says of itself, as plain JSON data: resolved model and revision, dtype, quantisation, device, letter
tokens, template hash. Answers are stored under it: whatever changes them belongs in it, and nothing else does."""

Answering = Literal["score", "generate"]
"""How a prompt group is answered: by the method of that name."""


@dataclass(frozen=True, slots=True)
class BackendContext:
    """What a backend gets from the outside.

    cache: a folder for files that may be made again. notify: takes one line for the user, such as what an alias
    resolved to.
    """

    cache: Path
    notify: Callable[[str], None]


@runtime_checkable
class Model(Protocol):
    """What answers prompts: a `Scorer`, a `TextGenerator`, or both."""

    def describe(self) -> Description:
        """What it is. Cheap: called before `open`, also when every answer is in the store already."""

    def environment(self) -> Mapping[str, Any]:
        """What else the record should hold, such as the GPU's name: as plain JSON data, and no part of the key."""

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """The text of each prompt as the model reads it; None where only a server knows. Raises PromptError."""

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """The token ids of each prompt as the model reads it, for the plan; None where only a server knows.

        Raises PromptError if this group cannot be read as it is meant, HarnessError if no such group can.
        """

    def open(self) -> None:
        """Load the model. Raises HarnessError where it cannot be. May be called twice."""

    def close(self) -> None:
        """Let go of everything. May be called without `open`, and twice."""


@runtime_checkable
class Scorer(Model, Protocol):
    """Answers prompts with option scores. Batching, packing and retrying are its own business."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """One result for each group as it gets done, in any order. Called between `open` and `close`."""


@runtime_checkable
class TextGenerator(Model, Protocol):
    """Answers prompts with texts. Batching and retrying are its own business."""

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """One result for each group as it gets done, in any order, written as the group's `decoding` says.

        Called between `open` and `close`. A text holds no special tokens, and nothing of the prompt.
        """


METHODS: Mapping[Answering, type[Scorer] | type[TextGenerator]] = {"score": Scorer, "generate": TextGenerator}
"""What a model has to be for each way of answering."""


@runtime_checkable
class Predictor(Protocol):
    """Gives distributions without prompts: baselines, and predictions that were made elsewhere."""

    def describe(self) -> Description:
        """What it is."""

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Distributions (items, labels). Raises InputError where the items lack what it needs."""
