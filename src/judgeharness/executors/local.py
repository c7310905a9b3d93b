"""Scoring in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from judgeharness.backends.contract import Scorer
from judgeharness.domain import OptionScores, PromptGroup, ScoringFailure
from judgeharness.options import NoOptions


class Local:
    """One scorer, here. It stays open from one run to the next: the caller closes it."""

    def __init__(self, options: NoOptions) -> None:
        pass

    def run(self, scorer: Scorer, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Open the scorer and score the groups one after the other."""
        scorer.open()
        yield from scorer.score(groups)
