"""Biases of a judge: which letters and which positions of explanations it prefers, and how much orders matter.

Each label is assigned to each letter equally often, and each explanation stands at each position equally often. An
unbiased judge gives each of K letters a probability of 1 / K on average, and treats all positions alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judgeharness.analysis.intervals import MIN_ITEMS, Estimate, Interval, hall
from judgeharness.domain.nouns import FloatArray

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PromptShares:
    """The prompts of one item.

    Attributes:
        probabilities: The probability of each label, of shape (prompts, labels).
        options: The label behind each letter, of shape (prompts, letters).
        explanations: The explanation at each position, of shape (prompts, positions).
        explained: The label of each explanation, of shape (explanations,).
    """

    probabilities: FloatArray
    options: Labels
    explanations: Labels
    explained: Labels


@dataclass(frozen=True, slots=True)
class Preference:
    """A mean over items, with its interval."""

    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Bias:
    """What a judge prefers, and how much orders change its answers.

    Attributes:
        items: How many items the means are over.
        letters: The mean probability of each letter.
        places: The mean probability of the label of the explanation at each position. Empty if prompts show fewer than
            two explanations.
        option_spread: The standard deviation of a label's probability over the orders of the options, as a mean over
            items and labels.
        explanation_spread: The same over selections and orders of the explanations. None if there is only one.
    """

    items: int
    letters: tuple[Preference, ...]
    places: tuple[Preference, ...]
    option_spread: Preference
    explanation_spread: Preference | None


def measure_bias(asked: Sequence[PromptShares]) -> Bias:
    """Measure the bias over items that were all asked in the same way. Raises ValueError if there are none."""
    if not asked:
        raise ValueError("no item was asked")
    several = all(len(np.unique(each.explanations, axis=0)) > 1 for each in asked)
    ordered = all(each.explanations.shape[1] > 1 for each in asked)
    return Bias(
        len(asked),
        _preferences(np.array([letters(each) for each in asked])),
        _preferences(np.array([places(each) for each in asked])) if ordered else (),
        _preferences(np.array([[spread(each, each.options, each.explanations)] for each in asked]))[0],
        _preferences(np.array([[spread(each, each.explanations, each.options)] for each in asked]))[0]
        if several
        else None,
    )


def letters(asked: PromptShares) -> FloatArray:
    """Return the mean probability of each letter over an item's prompts, of shape (letters,)."""
    result: FloatArray = np.take_along_axis(asked.probabilities, asked.options, axis=1).mean(axis=0)
    return result


def places(asked: PromptShares) -> FloatArray:
    """Return the mean probability of the label of the explanation at each position, of shape (positions,)."""
    shown = asked.explained[asked.explanations]
    result: FloatArray = np.take_along_axis(asked.probabilities, shown, axis=1).mean(axis=0)
    return result


def spread(asked: PromptShares, varied: Labels, held: Labels) -> float:
    """Return the standard deviation of a label's probability over `varied` while `held` is constant.

    This is a mean over the labels and over the values of `held`.
    """
    deviations = []
    for kind in np.unique(held, axis=0):
        same = (held == kind).all(axis=1)
        kinds = np.unique(varied[same], axis=0)
        orders = [asked.probabilities[same & (varied == order).all(axis=1)].mean(axis=0) for order in kinds]
        deviations.append(np.std(orders, axis=0).mean())
    return float(np.mean(deviations))


def _preferences(values: FloatArray) -> tuple[Preference, ...]:
    """Return the mean of each column of (items, columns), with its interval."""
    means = values.mean(axis=0)
    influences = (values - means) / len(values)
    return tuple(
        Preference(float(mean), None if len(values) < MIN_ITEMS else Interval(*hall(Estimate(float(mean), column))))
        for mean, column in zip(means, influences.T, strict=True)
    )
