"""What an executor is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from judgeharness.backends.contract import Answering, Model
from judgeharness.domain.nouns import Answer, PromptGroup, ScoringFailure


class Executor(Protocol):
    """Has prompt groups answered somewhere. The caller alone writes the store."""

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Open the model, have it answer, and give one result for each group, in any order.

        answering: the name of the model's method that answers them.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """What it takes to make a model once more, in another process or on another machine: plain data.

    backend: `scheme:model`. values: the options of `-o` that are its own. plugins: as `--plugin` names them, files by
    their whole path.
    """

    backend: str
    values: Mapping[str, str]
    plugins: tuple[str, ...] = ()


@runtime_checkable
class Placing(Protocol):
    """An executor whose models are elsewhere."""

    def place(self, model: Model, recipe: Recipe, notify: Callable[[str], None]) -> Model:
        """A stand-in for a model that is made from the recipe where the work is done.

        It can do what the model can, and its `describe()` is of the model there: another device may be there than here.
        Nothing is loaded before its `open()`. notify: takes one line for the user, such as what died.
        Raises HarnessError where there is no such place.
        """


@dataclass(frozen=True, slots=True)
class WorkerRate:
    """What a worker has done: prompts that it answered, and the seconds that it was answering."""

    name: str
    prompts: int
    seconds: float

    @property
    def rate(self) -> float:
        """Prompts a second."""
        return self.prompts / self.seconds if self.seconds else 0.0


@runtime_checkable
class Spread(Protocol):
    """A model that is in several places at once."""

    def workers(self) -> Sequence[WorkerRate]:
        """What each worker has done since `open()`."""
