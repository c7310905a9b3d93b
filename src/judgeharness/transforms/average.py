"""From answers to model judgment distributions, and a tally of what stood in the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, GeneratedTexts, OptionScores, Reading, distributions
from judgeharness.plugins.walls import who
from judgeharness.transforms.contract import Transform


class UninformativeError(ValueError):
    """No answer about an item says anything."""


def estimate(scores: OptionScores, transform: Transform) -> FloatArray:
    """The model judgment distribution (labels,): transform each prompt, then average over the informative prompts.

    A censored score stands at its upper bound. Raises UndefinedTransformError where the scores do not allow the
    transform, UninformativeError where no prompt is informative.
    """
    if not scores.informative.any():
        raise UninformativeError("none of the options was among the tokens that the server returned, for any prompt")
    probabilities = _distributions(transform(scores), scores.scores.shape, who(transform, "the transform"))
    result: FloatArray = probabilities[scores.informative].mean(axis=0)
    return result


def average(reading: Reading) -> FloatArray:
    """The model judgment distribution (labels,): the mean over the texts that could be read.

    Raises UninformativeError where none could.
    """
    rows = reading.probabilities[reading.read]
    if not len(rows):
        raise UninformativeError(f"none of the {len(reading.probabilities)} texts could be read")
    result: FloatArray = _distributions(rows, rows.shape, "the strategy").mean(axis=0)
    return result


def distribution_of(answer: OptionScores | Reading, transform: Transform | None) -> FloatArray:
    """The model judgment distribution (labels,) in an answer. Raises as `estimate` and `average`."""
    if isinstance(answer, Reading):
        return average(answer)
    if transform is None:
        raise HarnessError("a strategy that was to read texts has scores instead: its 'ends_in' is wrong")
    return estimate(answer, transform)


def _distributions(rows: object, shape: tuple[int, ...], made_by: str) -> FloatArray:
    try:
        return distributions(rows, shape)
    except ValueError as error:
        raise HarnessError(f"{made_by} does not give distributions: {error}") from error


@dataclass(slots=True)
class Tally:
    """What stood in the answers: sums over items.

    masses: the mean probability of each item's options, where known. options: how many option scores there are, of
    which `censored` are only bounds. left_out: prompts that say nothing. texts: how many were written, of which `cut`
    ran into their limit; of those that were read for a distribution, `unread` could not be.
    """

    masses: list[float] = field(default_factory=list)
    options: int = 0
    censored: int = 0
    left_out: int = 0
    texts: int = 0
    cut: int = 0
    unread: int = 0

    def count(self, answer: OptionScores | Reading, written: Sequence[GeneratedTexts]) -> None:
        """Add an item's answer, and what was written on the way to it."""
        self.texts += sum(len(each.texts) for each in written)
        self.cut += sum(sum(each.cut) for each in written)
        if isinstance(answer, Reading):
            self.unread += int((~answer.read).sum())
            return
        self.options += answer.scores.size
        self.censored += 0 if answer.censored is None else int(answer.censored.sum())
        self.left_out += int((~answer.informative).sum())
        if answer.mass is not None:
            self.masses.append(float(answer.mass.mean()))

    def facts(self) -> dict[str, int | float | None]:
        """As they go into the record."""
        found: dict[str, int | float | None] = {
            "options_mass": float(np.mean(self.masses)) if self.masses else None,
            "options": self.options,
            "options_censored": self.censored,
            "prompts_left_out": self.left_out,
        }
        return found | ({"texts": self.texts, "texts_cut": self.cut, "texts_unread": self.unread} if self.texts else {})
