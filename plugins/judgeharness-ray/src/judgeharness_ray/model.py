"""A model that is in several places at once."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import ray
from ray.exceptions import RayError

from judgeharness.plugin import (
    Answer,
    Answering,
    Description,
    GeneratedTexts,
    HarnessError,
    Model,
    OptionScores,
    PromptGroup,
    Recipe,
    ScoringFailure,
    WorkerRate,
)
from judgeharness_ray.cluster import connect, share
from judgeharness_ray.crew import Crew, last_line, started
from judgeharness_ray.items import Item, Queue, size
from judgeharness_ray.options import RayOptions
from judgeharness_ray.worker import Introduction, Told


class Everywhere:
    """The stand-in on the driver. The model here knows the tokens; those of the workers answer."""

    def __init__(self, model: Model, recipe: Recipe, options: RayOptions, notify: Callable[[str], None]) -> None:
        self._model = model
        self._options = options
        self._connected: bool | None = connect(options.ray_address)
        # Ray prints what happens to the cluster to stdout, which is for results.
        self._stdout = contextlib.redirect_stdout(sys.stderr)
        self._stdout.__enter__()
        try:
            self._share = share(options)
            first = started(recipe, self._share)
            self._introduction = _introduced(first, recipe)
        except BaseException:
            self._disconnect()
            raise
        self._crew = Crew(recipe, self._share, notify, self._introduction, first)

    def describe(self) -> Description:
        """What the model is where the workers are."""
        return self._introduction.description

    def environment(self) -> Mapping[str, Any]:
        """That of a worker, and how many there are."""
        return {
            **self._crew.expected.environment,
            "executor": "ray",
            "ray": ray.__version__,
            "workers": self._share.workers,
            "cpus_of_a_worker": self._share.cpus,
            "gpus_of_a_worker": self._share.gpus,
        }

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """As the model here does."""
        return self._model.render(group)

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """As the model here does."""
        return self._model.encode(group)

    def open(self) -> None:
        """Have the workers load the model."""
        self._crew.open()

    def close(self) -> None:
        """Stop the workers, and leave the cluster, or stop it where it was started for them."""
        self._crew.close()
        self._model.close()
        self._disconnect()

    def workers(self) -> Sequence[WorkerRate]:
        """What each worker has done."""
        return self._crew.rates()

    def _disconnect(self) -> None:
        if self._connected is None:
            return
        if self._connected:
            ray.shutdown()
        self._stdout.__exit__(None, None, None)
        self._connected = None

    def _answers(self, groups: Iterable[PromptGroup], answering: Answering) -> Iterator[Answer | ScoringFailure]:
        """Send, wait, hand out; nothing more is sent while the caller is busy with what came back."""
        measured = partial(size, model=self._model)
        queue = Queue(groups, measured, self._options.ray_item_tokens, self._share.workers)
        waiting: Item | None = queue.next()
        while waiting is not None or any(member.sent for member in self._crew.members):
            while waiting is not None and self._crew.idle():
                self._crew.send(waiting, answering)
                waiting = queue.next()
            done, again = self._crew.next()
            if done is not None:
                yield from done.answers
            given_up = [item for item in again if item.deaths >= self._options.ray_attempts]
            for item in given_up:
                yield from _failures(item)
            queue.put_back([item for item in again if item not in given_up])
            if waiting is None:
                waiting = queue.next()


class ScoringEverywhere(Everywhere):
    """Of a model that gives option scores."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Have the workers score the groups."""
        answers: Iterator[Any] = self._answers(groups, "score")
        return answers


class WritingEverywhere(Everywhere):
    """Of a model that writes."""

    def generate(self, groups: Iterable[PromptGroup]) -> Iterator[GeneratedTexts | ScoringFailure]:
        """Have the workers write to the groups."""
        answers: Iterator[Any] = self._answers(groups, "generate")
        return answers


class ScoringWriting(ScoringEverywhere, WritingEverywhere):
    """Of a model that does both."""


def _failures(item: Item) -> Iterator[ScoringFailure]:
    for group in item.groups:
        yield ScoringFailure(group.uid, f"{item.deaths} workers died while they answered it")


def _introduced(worker: Any, recipe: Recipe) -> Introduction:
    """What the model is on a worker. Raises HarnessError."""
    try:
        found: Introduction | Told = ray.get(worker.introduce.remote())
    except RayError as error:
        raise HarnessError(f"a Ray worker cannot make {recipe.backend}: {last_line(error)}") from error
    if isinstance(found, Told):
        raise found.error("a Ray worker")
    return found
