"""The interfaces of backends: models that answer prompts, and predictors that give distributions without prompts."""

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
    """A prompt that a model cannot read as intended. Other prompts may work."""


Description = Mapping[str, Any]
"""How a backend identifies itself, as plain JSON data.

It has the resolved model and revision, dtype, quantization, device, letter tokens and template hash. Answers are stored
under it, so it must hold everything that changes them, and nothing else.
"""

Answering = Literal["score", "generate"]
"""How a prompt group is answered: by the method with this name."""


@dataclass(frozen=True, slots=True)
class BackendContext:
    """What a backend gets from outside.

    Attributes:
        cache: A folder for files that can be rebuilt.
        notify: Shows the user one line, such as the name that an alias resolved to.
    """

    cache: Path
    notify: Callable[[str], None]


@runtime_checkable
class Model(Protocol):
    """A model that answers prompts: a `Scorer`, a `TextGenerator`, or both."""

    def describe(self) -> Description:
        """Return what the model is.

        This must be cheap: it is called before `open`, even if every answer is already in the store.
        """

    def environment(self) -> Mapping[str, Any]:
        """Return what else belongs in the run's record, such as the GPU's name.

        The value is plain JSON data. It does not affect the keys of answers.
        """

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """Return the text of each prompt as the model reads it, or None if only a server knows. Raises PromptError."""

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Return the token ids of each prompt as the model reads it, for the plan, or None if only a server knows.

        Raises:
            PromptError: If this group cannot be read as intended.
            HarnessError: If no such group can.
        """

    def open(self) -> None:
        """Load the model. Raises HarnessError if that fails. May be called twice."""

    def close(self) -> None:
        """Free all resources. May be called without `open`, and twice."""


@runtime_checkable
class Scorer(Model, Protocol):
    """Answers prompts with option scores. It does its own batching, packing and retrying."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Yield one result for each group as it is done, in any order. Called between `open` and `close`."""


@runtime_checkable
class TextGenerator(Model, Protocol):
    """Answers prompts with texts. It does its own batching and retrying."""

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Yield one result for each group as it is done, in any order, generated as the group's `decoding` says.

        Called between `open` and `close`. A text contains no special tokens and no part of the prompt.
        """


METHODS: Mapping[Answering, type[Scorer] | type[TextGenerator]] = {"score": Scorer, "generate": TextGenerator}
"""The protocol that a model must implement for each way of answering."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most requests and the most tokens, of prompts and answers together, that may be spent.

    Attributes:
        requests: The most requests; None for no limit.
        tokens: The most tokens; None for no limit.
    """

    requests: int | None = None
    tokens: int | None = None

    def allows(self, requests: int, tokens: int) -> bool:
        """Return whether these totals are within the budget."""
        limits = ((requests, self.requests), (tokens, self.tokens))
        return all(most is None or amount <= most for amount, most in limits)

    def __str__(self) -> str:
        limits = (("requests", self.requests), ("tokens", self.tokens))
        return " and ".join(f"{most:,} {name}" for name, most in limits if most is not None) or "no limit"


class Ledger(Protocol):
    """Records the replies of a model that is paid by the request, and their cost. A killed process loses nothing."""

    @property
    def budget(self) -> Budget:
        """What may be spent in total, including earlier calls and other processes."""

    def spent(self) -> tuple[int, int]:
        """Return the requests and tokens spent so far, including earlier calls and other processes."""

    def spend(self, requests: int, tokens: int) -> None:
        """Add to what was spent. A negative number of tokens corrects an estimate."""

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add to what was spent if the budget allows it, and return whether it does."""

    def key(self, group: PromptGroup) -> str:
        """Return the key of the replies to a group's prompts."""

    def replies(self, key: str) -> Mapping[int, str]:
        """Return the stored replies to a group's prompts, by the prompt's position, as the model wrote them."""

    def keep(self, key: str, position: int, reply: str) -> None:
        """Store the reply to a prompt, as JSON. It is dropped once the whole group is answered."""


@runtime_checkable
class Metered(Protocol):
    """A model that is paid by the request. Its replies are stored prompt by prompt, not only group by group."""

    def meter(self, ledger: Ledger) -> None:
        """Use this ledger from now on. Called before the first prompt."""


@runtime_checkable
class Predictor(Protocol):
    """Gives distributions without prompts: baselines, and predictions from elsewhere."""

    def describe(self) -> Description:
        """Return what the predictor is."""

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Return distributions (items, labels). Raises InputError if the items lack what it needs."""
