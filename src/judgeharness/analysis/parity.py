"""Whether backends that run the same model agree: in prompts, tokens, probabilities and distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from judgeharness.domain.nouns import FloatArray, OptionScores
from judgeharness.metrics.jsd import jsd
from judgeharness.transforms.average import estimate
from judgeharness.transforms.contract import Transform
from judgeharness.transforms.softmax import SoftmaxOptions, softmax

DEFAULT_TOLERANCE = 0.002
SHARP_FACTOR = 10.0
EXCHANGED = 0.005
"""Items that are nearer than this JSD at temperature 1 are not examined: it makes no difference which is which."""
SHOWN_CHARACTERS = 24
SHOWN_TOKENS = 4
SHOWN_ITEMS = 5


@dataclass(frozen=True, slots=True)
class Side:
    """What one backend returned for the prompt groups.

    Attributes:
        name: The backend's name.
        texts: The text of every prompt; None if only a server knows them.
        tokens: The tokens of every prompt; None if only a server knows them.
        scores: The scores by uid.
        failures: The reasons for failures by uid.
        seconds: How long scoring took, without loading.
        prompts: How many prompts there are.
        counted_otherwise: For how many prompts the server counted another number of tokens.
    """

    name: str
    texts: tuple[str, ...] | None
    tokens: tuple[tuple[int, ...], ...] | None
    scores: Mapping[str, OptionScores]
    failures: Mapping[str, str]
    seconds: float
    prompts: int
    counted_otherwise: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A backend compared with the first.

    The numbers are None if the two have no item in common.

    Attributes:
        side: The backend.
        texts: "same", "unknown", or the first difference between the prompts' texts.
        tokens: "same", "unknown", or the first difference between the prompts' tokens.
        probability: The largest difference in an option's probability after any one prompt.
        mean_jsd: The mean JSD between the items' model judgment distributions.
        largest_jsd: The largest such JSD.
        sharp_jsd: The mean JSD at temperature 1, where a judge without a preference is far from one that has one.
        items: How many items the two have in common.
        exchanged: The items whose distribution is that of another item of the first backend.
    """

    side: Side
    texts: str
    tokens: str
    probability: float | None
    mean_jsd: float | None
    largest_jsd: float | None
    sharp_jsd: float | None
    items: int
    exchanged: tuple[str, ...] = ()

    def agrees(self, tolerance: float) -> bool:
        """Return whether the mean JSD is within the tolerance, and at temperature 1 within SHARP_FACTOR times it.

        A few items that were mixed up change the mean little, so none may look exchanged either.
        """
        if self.mean_jsd is None or self.sharp_jsd is None or self.exchanged:
            return False
        return self.mean_jsd <= tolerance and self.sharp_jsd <= SHARP_FACTOR * tolerance


@dataclass(frozen=True, slots=True)
class Parity:
    """The first backend, and the others compared with it."""

    first: Side
    others: tuple[Difference, ...]
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether every backend answered for every item and agrees with the first within the tolerance."""
        sides = [self.first, *(each.side for each in self.others)]
        return not any(side.failures for side in sides) and all(each.agrees(self.tolerance) for each in self.others)

    def verdict(self) -> list[str]:
        """Return the findings in words, with a sentence for each backend."""
        return [_sentence(each, self.first, self.tolerance) for each in self.others]


def compare(sides: Sequence[Side], transform: Transform, tolerance: float = DEFAULT_TOLERANCE) -> Parity:
    """Compare the sides with the first. `tolerance` applies to the mean JSD. Raises as `estimate` does."""
    first, *others = sides
    return Parity(first, tuple(_difference(first, other, transform) for other in others), tolerance)


def _difference(first: Side, other: Side, transform: Transform) -> Difference:
    common = sorted(first.scores.keys() & other.scores.keys())
    probability = mean = largest = sharp = None
    exchanged: tuple[str, ...] = ()
    if common:
        plain = softmax(SoftmaxOptions(temperature=1.0))
        ours, theirs = _distributions(first, common, plain), _distributions(other, common, plain)
        sharp = float(jsd(ours, theirs).mean())
        exchanged = tuple(common[place] for place in _exchanged(ours, theirs))
        gaps = [np.abs(transform(first.scores[uid]) - transform(other.scores[uid])).max() for uid in common]
        distances = jsd(_distributions(first, common, transform), _distributions(other, common, transform))
        probability, mean, largest = float(max(gaps)), float(distances.mean()), float(distances.max())
    return Difference(
        other,
        _compared(first.texts, other.texts, _text_excerpt),
        _compared(first.tokens, other.tokens, _token_excerpt) if not other.counted_otherwise else _counts(other),
        probability,
        mean,
        largest,
        sharp,
        len(common),
        exchanged,
    )


def _exchanged(first: FloatArray, other: FloatArray) -> list[int]:
    """Return the items whose distribution (items, labels) is much nearer to that of another item of the first.

    That other item must have lost its place too, so that items with nearly the same distributions are none.
    """
    own = jsd(first, other)
    suspects = np.flatnonzero(own > EXCHANGED)
    nearest = [int(np.argmin(jsd(first[suspects], np.tile(other[place], (len(suspects), 1))))) for place in suspects]
    return [
        int(place)
        for place, near in zip(suspects, suspects[nearest], strict=True)
        if float(jsd(first[[near]], other[[place]])[0]) < own[place] / SHARP_FACTOR
    ]


def _distributions(side: Side, uids: Sequence[str], transform: Transform) -> FloatArray:
    return np.array([estimate(side.scores[uid], transform) for uid in uids])


Whole = TypeVar("Whole", str, tuple[int, ...])


def _compared(left: Sequence[Whole] | None, right: Sequence[Whole] | None, excerpt: Callable[[Whole, int], str]) -> str:
    if left is None or right is None:
        return "unknown"
    for number, (one, other) in enumerate(zip(left, right, strict=True), start=1):
        if one != other:
            shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), -1)
            place = shared if shared >= 0 else min(len(one), len(other))
            return f"differ first in prompt {number} at {place}: {excerpt(one, place)} and {excerpt(other, place)}"
    return "same"


def _text_excerpt(text: str, place: int) -> str:
    return repr(text[place : place + SHOWN_CHARACTERS])


def _token_excerpt(tokens: tuple[int, ...], place: int) -> str:
    return str(list(tokens[place : place + SHOWN_TOKENS]))


def _counts(side: Side) -> str:
    return f"the server counted otherwise for {side.counted_otherwise} of {side.prompts} prompts"


def _sentence(difference: Difference, first: Side, tolerance: float) -> str:
    name = difference.side.name
    if difference.side.failures or first.failures:
        side = difference.side if difference.side.failures else first
        reason = next(iter(side.failures.values()))
        return f"{name} cannot be compared in full: {side.name} failed on {len(side.failures)} items ({reason})"
    if difference.mean_jsd is None:
        return f"{name} and {first.name} have no item in common"
    word = "agrees" if difference.agrees(tolerance) else "does not agree"
    sentence = (
        f"{name} {word} with {first.name}: mean JSD {difference.mean_jsd:.2g} (tolerance {tolerance:g}), "
        f"at temperature 1 {difference.sharp_jsd:.2g} (tolerance {SHARP_FACTOR * tolerance:g})"
    )
    if difference.exchanged:
        few = ", ".join(difference.exchanged[:SHOWN_ITEMS])
        sentence += f"; {len(difference.exchanged)} items have the distribution of another item ({few})"
    if difference.texts not in {"same", "unknown"} or difference.tokens not in {"same", "unknown"}:
        sentence += "; their prompts are not the same"
    return sentence
