"""The executor: a model's stand-in whose groups are answered by workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from judgeharness.plugin import Answer, Answering, Model, PromptGroup, Recipe, Scorer, ScoringFailure, TextGenerator
from judgeharness_ray.model import Everywhere, ScoringEverywhere, ScoringWriting, WritingEverywhere
from judgeharness_ray.options import RayOptions


class RayExecutor:
    """Places models on a Ray cluster."""

    def __init__(self, options: RayOptions) -> None:
        self._options = options

    def place(self, model: Model, recipe: Recipe, notify: Callable[[str], None]) -> Model:
        """The model's stand-in. A worker is started, so that it can say what the model is there.

        Raises HarnessError where the cluster cannot be reached, or has no place for a worker.
        """
        kinds: dict[tuple[bool, bool], type[Everywhere]] = {
            (True, True): ScoringWriting,
            (True, False): ScoringEverywhere,
            (False, True): WritingEverywhere,
        }
        kind = kinds[isinstance(model, Scorer), isinstance(model, TextGenerator)]
        return kind(model, recipe, self._options, notify)

    def run(
        self, model: Model, groups: Iterable[PromptGroup], answering: Answering
    ) -> Iterator[Answer | ScoringFailure]:
        """Have the workers load the model, and answer."""
        model.open()
        yield from getattr(model, answering)(groups)
