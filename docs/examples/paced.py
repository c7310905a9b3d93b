"""An executor: answers in this process, with a pause before each item, to go easy on a shared machine."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Annotated

from pydantic import Field

from judgeharness.plugin import (
    Answer,
    Answering,
    ExecutorSpec,
    Flag,
    Model,
    Options,
    PromptGroup,
    ScoringFailure,
    hookimpl,
)


@hookimpl
def judgeharness_executors() -> list[ExecutorSpec]:
    """Return the executors of this plugin."""
    return [
        ExecutorSpec(
            name="paced",
            summary="in this process, with a pause before each item",
            target=f"{__name__}:Paced",
            options=f"{__name__}:PacedOptions",
            flags=(Flag("pause", "pause", "SECONDS", "With --executor paced: the pause before each item."),),
        )
    ]


class PacedOptions(Options):
    """pause: the pause before each item, in seconds."""

    pause: Annotated[float, Field(ge=0)] = 1.0


class Paced:
    """Passes one prompt group at a time to the model."""

    def __init__(self, options: PacedOptions) -> None:
        self._pause = options.pause

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Open the model and yield its answers. judgeharness stores them, and closes the model later."""
        model.open()
        yield from getattr(model, answering)(self._paced(groups))

    def _paced(self, groups: Iterable[PromptGroup]) -> Iterator[PromptGroup]:
        for group in groups:
            time.sleep(self._pause)
            yield group
