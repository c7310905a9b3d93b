"""From answers to model judgment distributions."""

from __future__ import annotations

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, OptionScores, Reading, distributions
from judgeharness.plugins.walls import who
from judgeharness.transforms.contract import Transform


class UninformativeError(ValueError):
    """None of the answers about an item is usable."""


def estimate(scores: OptionScores, transform: Transform) -> FloatArray:
    """Return the model judgment distribution (labels,): the mean of transformed scores over the informative prompts.

    A censored score counts with its upper bound. Raises UndefinedTransformError if the transform is undefined for the
    scores, and UninformativeError if no prompt is informative.
    """
    if not scores.informative.any():
        raise UninformativeError("none of the options was among the tokens that the server returned, for any prompt")
    probabilities = _distributions(transform(scores), scores.scores.shape, who(transform, "the transform"))
    result: FloatArray = probabilities[scores.informative].mean(axis=0)
    return result


def average(reading: Reading) -> FloatArray:
    """Return the model judgment distribution (labels,): the mean over the texts that could be read.

    Raises UninformativeError if none could be read.
    """
    rows = reading.probabilities[reading.read]
    if not len(rows):
        raise UninformativeError(f"none of the {len(reading.probabilities)} texts could be read")
    result: FloatArray = _distributions(rows, rows.shape, "the strategy").mean(axis=0)
    return result


def distribution_of(answer: OptionScores | Reading, transform: Transform | None) -> FloatArray:
    """Return the model judgment distribution (labels,) of an answer. Raises as `estimate` and `average`."""
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
