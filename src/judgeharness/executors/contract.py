"""What an executor is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Protocol

from judgeharness.backends.contract import Scorer
from judgeharness.domain import OptionScores, PromptGroup, ScoringFailure


class Executor(Protocol):
    """Has prompt groups scored somewhere. The caller alone writes the store."""

    def run(self, scorer: Scorer, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Open the scorer where the work is done, and give one result for each group, in any order."""
