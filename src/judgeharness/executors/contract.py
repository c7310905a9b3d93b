"""What an executor is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from judgeharness.backends.contract import Answering, Model
from judgeharness.domain import Answer, PromptGroup, ScoringFailure


class Executor(Protocol):
    """Has prompt groups answered somewhere. The caller alone writes the store."""

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Open the model where the work is done, and give one result for each group, in any order.

        answering: the name of the model's method that answers them.
        """
