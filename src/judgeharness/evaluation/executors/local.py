"""Run a model in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from judgeharness.backends.contract import Answering, Model
from judgeharness.domain.nouns import Answer, PromptGroup, ScoringFailure
from judgeharness.plugins.options import NoOptions


class Local:
    """Runs one model in this process. The model stays open from run to run; the caller closes it."""

    def __init__(self, options: NoOptions) -> None:
        pass

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Open the model and have it answer the groups one after the other."""
        model.open()
        yield from getattr(model, answering)(groups)
