"""What a backend is: a model that answers prompts, or something that predicts distributions without any."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import (
    FloatArray,
    GeneratedTexts,
    Item,
    Label,
    OptionScores,
    PromptGroup,
    ScoringFailure,
)


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


@dataclass(frozen=True, slots=True)
class Budget:
    """The most requests, and tokens of prompts and answers together, that may be spent; None for no limit."""

    requests: int | None = None
    tokens: int | None = None

    def allows(self, requests: int, tokens: int) -> bool:
        """Whether so much in all is within the budget."""
        limits = ((requests, self.requests), (tokens, self.tokens))
        return all(most is None or amount <= most for amount, most in limits)

    def __str__(self) -> str:
        limits = (("requests", self.requests), ("tokens", self.tokens))
        return " and ".join(f"{most:,} {name}" for name, most in limits if most is not None) or "no limit"


class Ledger(Protocol):
    """Keeps what a model that is paid by the request gets and spends, as it happens: a kill loses nothing of it."""

    @property
    def budget(self) -> Budget:
        """What may be spent, earlier calls and other processes included."""

    def spent(self) -> tuple[int, int]:
        """Requests and tokens that were spent so far, earlier calls and other processes included."""

    def spend(self, requests: int, tokens: int) -> None:
        """Add to what was spent. tokens may be negative, to correct an estimate."""

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add to what was spent if the budget allows it; whether it does."""

    def key(self, group: PromptGroup) -> str:
        """The key under which the replies to a group's prompts are kept."""

    def replies(self, key: str) -> Mapping[int, str]:
        """The replies to a group's prompts from before, by the prompt's position, as the model wrote them down."""

    def keep(self, key: str, position: int, reply: str) -> None:
        """Keep the reply to a prompt, as JSON. It is dropped when the whole group is answered."""


@runtime_checkable
class Metered(Protocol):
    """A model that is paid by the request. What it gets is kept prompt by prompt, not only group by group."""

    def meter(self, ledger: Ledger) -> None:
        """Use this ledger from now on. Called before anything is asked."""


@runtime_checkable
class Predictor(Protocol):
    """Gives distributions without prompts: baselines, and predictions that were made elsewhere."""

    def describe(self) -> Description:
        """What it is."""

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Distributions (items, labels). Raises InputError where the items lack what it needs."""
