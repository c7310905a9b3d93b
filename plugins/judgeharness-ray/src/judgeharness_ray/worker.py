"""What runs in a worker: the model, made from its recipe."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from judgeharness.evaluation.components import OpenBackend, open_backend
from judgeharness.plugin import (
    Answer,
    Answering,
    BackendContext,
    HarnessError,
    InputError,
    Model,
    PromptGroup,
    Recipe,
    ScoringFailure,
)
from judgeharness.plugins.registry import Registry
from judgeharness.tasks.datasets import cache_folder

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Told:
    """An error that a user is to read, on its way from a worker."""

    message: str
    hint: str | None
    wrong_input: bool

    def error(self, who: str) -> HarnessError:
        """The error again. who: the worker."""
        kind = InputError if self.wrong_input else HarnessError
        return kind(f"{who}: {self.message}", self.hint)


@dataclass(frozen=True, slots=True)
class Introduction:
    """What a worker says of its model, and where it is."""

    name: str
    description: dict[str, Any]
    environment: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """Answers to an item, the seconds that they took, and what the backend wants to be said to the user."""

    answers: tuple[Answer | ScoringFailure, ...]
    seconds: float
    notes: tuple[str, ...]


class Worker:
    """A model in a process of its own."""

    def __init__(self, recipe: Recipe) -> None:
        self._recipe = recipe
        self._notes: list[str] = []
        self._backend: OpenBackend | None = None

    def introduce(self) -> Introduction | Told:
        """Make the model, without its weights, and say what it is."""
        return _told(self._introduction)

    def open(self) -> Introduction | Told:
        """Load the model; what it says then."""
        return _told(self._opened)

    def answer(self, groups: Sequence[PromptGroup], answering: Answering) -> Done | Told:
        """Answer the groups."""
        return _told(lambda: self._done(groups, answering))

    def _made(self) -> OpenBackend:
        if self._backend is None:
            registry = Registry.from_environment(self._recipe.plugins)
            context = BackendContext(cache_folder(), self._notes.append)
            self._backend = open_backend(registry, self._recipe.backend, self._recipe.values, context)
        return self._backend

    @property
    def _model(self) -> Model:
        part = self._made().part
        if not isinstance(part, Model):
            raise HarnessError(f"{self._recipe.backend} is no model")
        return part

    def _introduction(self) -> Introduction:
        description, environment = self._made().description, self._model.environment()
        where = f"{socket.gethostname()}, process {os.getpid()}"
        return Introduction(where, dict(description), dict(environment))

    def _opened(self) -> Introduction:
        self._model.open()
        # What was said up to here, the driver's own model has said.
        self._notes.clear()
        return self._introduction()

    def _done(self, groups: Sequence[PromptGroup], answering: Answering) -> Done:
        begun = time.monotonic()
        answers = tuple(getattr(self._model, answering)(groups))
        notes, self._notes[:] = tuple(self._notes), []
        return Done(answers, time.monotonic() - begun, notes)


def _told(do: Callable[[], T]) -> T | Told:
    try:
        return do()
    except HarnessError as error:
        return Told(error.message, error.hint, isinstance(error, InputError))
