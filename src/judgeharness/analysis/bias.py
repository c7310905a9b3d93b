"""What a judge prefers besides the answer: letters, places of explanations; and how much orders move it.

Every label stands behind every letter equally often, and every explanation at every place. A judge that minds neither
gives each letter 1 / K of the probability, and each place the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from judgeharness.analysis.intervals import SAMPLES, SEED, Interval, interval, resamples
from judgeharness.domain.nouns import FloatArray

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PromptShares:
    """One item's prompts. probabilities: (prompts, labels). options: (prompts, letters), the label behind each letter.

    explanations: (prompts, places), which explanation stands at each place. explained: (explanations,), their labels.
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
    """What is preferred, and how much orders move.

    letters: the mean probability of each letter. places: that of the label of the explanation at each place, empty
    where prompts show fewer than two.

    option_spread, explanation_spread: the standard deviation of a label's probability over the orders of the options,
    and over the selections and orders of the explanations (None where there is one); means over items and labels.
    """

    items: int
    letters: tuple[Preference, ...]
    places: tuple[Preference, ...]
    option_spread: Preference
    explanation_spread: Preference | None


def measure_bias(asked: Sequence[PromptShares]) -> Bias:
    """The bias over items that were all asked in the same way. Raises ValueError where there are none."""
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
    """The mean probability of each letter over an item's prompts: (letters,)."""
    result: FloatArray = np.take_along_axis(asked.probabilities, asked.options, axis=1).mean(axis=0)
    return result


def places(asked: PromptShares) -> FloatArray:
    """The mean probability of the label of the explanation at each place: (places,)."""
    shown = asked.explained[asked.explanations]
    result: FloatArray = np.take_along_axis(asked.probabilities, shown, axis=1).mean(axis=0)
    return result


def spread(asked: PromptShares, varied: Labels, held: Labels) -> float:
    """The standard deviation of a label's probability over `varied`, `held` being the same; the mean over both."""
    deviations = []
    for kind in np.unique(held, axis=0):
        same = (held == kind).all(axis=1)
        kinds = np.unique(varied[same], axis=0)
        orders = [asked.probabilities[same & (varied == order).all(axis=1)].mean(axis=0) for order in kinds]
        deviations.append(np.std(orders, axis=0).mean())
    return float(np.mean(deviations))


def _preferences(values: FloatArray) -> tuple[Preference, ...]:
    """(items, columns) to a mean with its interval for each column."""
    means = values.mean(axis=0)
    if len(values) < 2:
        return tuple(Preference(float(mean), None) for mean in means)
    drawn = np.concatenate([counts @ values / len(values) for counts in resamples(len(values), SAMPLES, SEED)])
    return tuple(Preference(float(mean), interval(drawn[:, column], float(mean))) for column, mean in enumerate(means))
