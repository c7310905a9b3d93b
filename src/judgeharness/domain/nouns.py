"""The nouns of the project as plain frozen types: item, prompt, prompt group, answers, prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

NO_REFERENCES: Mapping[str, tuple[float, ...]] = {}
"""One for all items that have none: there may be very many."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

PLACEHOLDER = -500.0
"""No token of a model is this improbable: a log-probability that is not above stands for one that is not known."""

MAX_TOTAL = 1.01
"""What the probabilities of different tokens may sum to, with some rounding."""

ROUNDING = 1e-5
"""How far from 1 the probabilities of a distribution may sum."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a task.

    name: as data and reports write it ("entailment"). text: as prompts show it ("Entailment").
    codes: other spellings in data files ("e").
    """

    name: str
    text: str
    codes: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The words that stand for the label in data files."""
        return (self.name, self.text, *self.codes)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an annotator chose a label. `label` is an index into the task's labels."""

    text: str
    label: int
    annotator: str | int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its human judgments.

    fields: the item's texts by name. human: the human judgment distribution over the task's labels, in their
    order. votes: the counts behind it, where known. references: other label sources as distributions, by name.
    """

    uid: str
    fields: Mapping[str, str]
    human: tuple[float, ...]
    votes: tuple[float, ...] | None = None
    explanations: tuple[Explanation, ...] = ()
    references: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: NO_REFERENCES)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One question as it is asked.

    options: the label indices that stand behind the letters A, B, C, ... in this prompt.
    explanations: the indices of the item's explanations that it shows, in order.
    """

    messages: tuple[Message, ...]
    options: tuple[int, ...]
    explanations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a model writes an answer.

    max_tokens: at most so many. temperature: 0 for the most probable token each time; else tokens are drawn, those of
    prompt i of a group from the stream (seed, i), so that the same logits give the same text.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PromptGroup:
    """Prompts of one item that are answered together: the unit of asking, storage and retry.

    decoding: None where the answer is the scores of the option letters, else how it is written.
    """

    uid: str
    prompts: tuple[Prompt, ...]
    decoding: Decoding | None = None

    @property
    def n_options(self) -> int:
        """The number of options of every prompt in the group."""
        return len(self.prompts[0].options)


@dataclass(frozen=True, slots=True, eq=False)
class OptionScores:
    """A model's answer to a prompt group.

    scores: (prompts, labels), in the task's label order. kind: raw `logit`s or natural `logprob`s.
    mass: (prompts,), the probability that the options hold together, where known.
    censored: (prompts, labels), True where the score is only an upper bound; None: none is.
    """

    uid: str
    scores: FloatArray
    kind: Literal["logit", "logprob"]
    mass: FloatArray | None = None
    censored: BoolArray | None = None

    def __post_init__(self) -> None:
        """Lists become arrays. Raises ValueError if they hold something else than numbers, or do not fit together."""
        if self.kind not in ("logit", "logprob"):
            raise ValueError(f"scores of {self.uid} are of the kind {self.kind!r}, not 'logit' or 'logprob'")
        object.__setattr__(self, "scores", floats(self.scores, f"scores of {self.uid}"))
        if self.scores.ndim != 2 or 0 in self.scores.shape:
            raise ValueError(f"scores of {self.uid} have the shape {self.scores.shape}, not (prompts, labels)")
        if self.mass is not None:
            object.__setattr__(self, "mass", floats(self.mass, f"the mass of {self.uid}"))
            if self.mass.shape != self.scores.shape[:1]:
                raise ValueError(f"mass of {self.uid} has the shape {self.mass.shape}, not (prompts,)")
        if self.censored is not None:
            object.__setattr__(self, "censored", np.asarray(self.censored))
            if self.censored.shape != self.scores.shape or self.censored.dtype != np.bool_:
                raise ValueError(
                    f"censored of {self.uid} is of the shape {self.censored.shape} and the type "
                    f"{self.censored.dtype.name}, not (prompts, labels) and bool"
                )

    @property
    def nonsense(self) -> str | None:
        """Why these cannot be what a model gave, in words; None if they can."""
        if not np.isfinite(self.scores).all():
            return "its scores are not all finite"
        if self.mass is not None:
            wrong = self.mass[~((self.mass >= -ROUNDING) & (self.mass <= MAX_TOTAL))]
            if len(wrong):
                return f"the probability that its options hold together is {wrong[0]:.3g}"
        if self.kind != "logprob":
            return None
        if (self.scores <= PLACEHOLDER).any():
            return f"its log-probabilities hold {self.scores.min():g}, which stands for one that is not known"
        known = np.ones_like(self.scores, dtype=np.bool_) if self.censored is None else ~self.censored
        total = float(np.exp(np.minimum(self.scores, 1.0), where=known, out=np.zeros_like(self.scores)).sum(1).max())
        return f"its log-probabilities are of probabilities that sum to {total:.3g}" if total > MAX_TOTAL else None

    @property
    def informative(self) -> BoolArray:
        """(prompts,), False where every score is only a bound: such a prompt says nothing about the options."""
        if self.censored is None:
            return np.ones(len(self.scores), dtype=np.bool_)
        found: BoolArray = np.logical_not(self.censored.all(axis=1))
        return found


@dataclass(frozen=True, slots=True)
class GeneratedTexts:
    """What a model wrote to a prompt group: a text a prompt. cut: whether it was stopped by `max_tokens`."""

    uid: str
    texts: tuple[str, ...]
    cut: tuple[bool, ...]

    def __post_init__(self) -> None:
        """Lists become tuples. Raises ValueError where there are not as many marks as texts, or none, or others."""
        for name, kind in (("texts", str), ("cut", bool)):
            values = getattr(self, name)
            if not isinstance(values, list | tuple) or not all(isinstance(each, kind) for each in values):
                raise ValueError(f"{name} of {self.uid} are no tuple of {kind.__name__}")
            object.__setattr__(self, name, tuple(values))
        if not self.texts or len(self.texts) != len(self.cut):
            raise ValueError(f"{len(self.texts)} texts of {self.uid} have {len(self.cut)} marks")


Answer = OptionScores | GeneratedTexts
"""What comes back for a prompt group."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Distributions that were read from texts: (prompts, labels), a row of zeros where a text says none."""

    probabilities: FloatArray

    @property
    def read(self) -> BoolArray:
        """(prompts,), False where the text could not be read."""
        return np.asarray(self.probabilities.any(axis=1), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class ScoringFailure:
    """A prompt group that a backend could not answer, and why."""

    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model judgment distribution of one item, or why there is none.

    score_key: the scores it comes from, if any. text_keys: what the model wrote before, or what was read, in order.
    """

    uid: str
    probabilities: tuple[float, ...] | None
    failure: str | None = None
    score_key: str | None = None
    text_keys: tuple[str, ...] = ()


def in_label_order(by_letter: FloatArray, group: PromptGroup) -> FloatArray:
    """Scores by letter, (prompts, options), as scores by label, (prompts, labels)."""
    options = np.array([prompt.options for prompt in group.prompts])
    by_label = np.empty_like(by_letter)
    np.put_along_axis(by_label, options, by_letter, axis=1)
    return by_label


def distribution(counts: tuple[float, ...]) -> tuple[float, ...]:
    """Counts as a probability distribution. Raises ValueError for negative, non-finite or all-zero counts."""
    if not counts or any(not math.isfinite(count) or count < 0 for count in counts):
        raise ValueError(f"not a list of counts: {list(counts)}")
    # Of the largest first, so that no sum is beyond all numbers.
    largest = max(counts)
    if largest > 1e300:
        counts = tuple(count / largest for count in counts)
    total = math.fsum(counts)
    if total <= 0:
        raise ValueError("all counts are zero")
    return tuple(count / total for count in counts)


def distributions(rows: object, shape: tuple[int, ...]) -> FloatArray:
    """Rows of probabilities. Raises ValueError where they are something else, or not as many as they should be."""
    found = floats(rows, "the probabilities")
    if found.shape != shape:
        raise ValueError(f"the shape is {found.shape}, not {shape}")
    if not np.isfinite(found).all():
        raise ValueError(f"a probability is {found[~np.isfinite(found)][0]:g}")
    if (found < 0).any():
        raise ValueError(f"a probability is {found.min():g}")
    sums = found.sum(axis=1)
    wrong = sums[np.abs(sums - 1) > ROUNDING]
    if len(wrong):
        raise ValueError(f"the probabilities of a row sum to {wrong[0]:.6g}")
    return found


def floats(value: object, what: str) -> FloatArray:
    """Numbers as an array, also where they are lists. Raises ValueError for complex numbers, texts and the like."""
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value
    found = np.asarray(value)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{what} are no real numbers, but of the type {found.dtype.name}")
    return found.astype(np.float64)
