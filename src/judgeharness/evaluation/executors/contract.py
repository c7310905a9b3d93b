"""The contract of executors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from judgeharness.backends.contract import Answering, Model
from judgeharness.domain.nouns import Answer, PromptGroup, ScoringFailure


class Executor(Protocol):
    """Runs a model somewhere to answer prompt groups. Only the caller writes to the store."""

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Open the model, have it answer, and yield one result for each group, in any order.

        Args:
            model: The model.
            groups: The prompt groups.
            answering: The name of the model's method that answers them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What another process or machine needs to make the same model, as plain data.

    Attributes:
        backend: The backend, "scheme:model".
        values: Its own options, as `-o` gives them.
        plugins: The plugins, as `--plugin` names them. Files have absolute paths.
    """

    backend: str
    values: Mapping[str, str]
    plugins: tuple[str, ...] = ()


@runtime_checkable
class Placing(Protocol):
    """An executor that runs models in another place."""

    def place(self, model: Model, recipe: Recipe, notify: Callable[[str], None]) -> Model:
        """Return a stand-in for a model that runs elsewhere and is made there from the recipe.

        The stand-in can do what the model can. Its `describe()` describes the model in that place, where the device may
        differ. Nothing is loaded before its `open()`.

        Args:
            model: The model as it would be here.
            recipe: How to make it there.
            notify: Called with one line for the user, for instance if a worker dies.

        Raises:
            HarnessError: The place does not exist.
        """


@dataclass(frozen=True, slots=True)
class WorkerRate:
    """How many prompts a worker has answered, and how many seconds it spent on them."""

    name: str
    prompts: int
    seconds: float

    @property
    def rate(self) -> float:
        """Prompts per second."""
        return self.prompts / self.seconds if self.seconds else 0.0


@runtime_checkable
class Spread(Protocol):
    """A model that runs in several places at once."""

    def workers(self) -> Sequence[WorkerRate]:
        """Return what each worker has done since `open()`."""
