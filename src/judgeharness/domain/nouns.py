"""The project's nouns as plain frozen types: item, prompt, prompt group, answers, prediction."""

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
"""Shared by all items without references, since there may be very many."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

PLACEHOLDER = -500.0
"""No model gives a token so low a probability: a log-probability at or below this value stands for an unknown one."""

MAX_TOTAL = 1.01
"""The most that the probabilities of different tokens may sum to, with some room for rounding."""

ROUNDING = 1e-5
"""How far the sum of a distribution's probabilities may be from 1."""


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a task.

    Attributes:
        name: The name in data and reports ("entailment").
        text: The text in prompts ("Entailment").
        codes: Other spellings in data files ("e").
    """

    name: str
    text: str
    codes: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """The words for the label in data files."""
        return (self.name, self.text, *self.codes)


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an annotator chose a label.

    Attributes:
        text: The explanation.
        label: The index of the label among the task's labels.
        annotator: The annotator, if known.
    """

    text: str
    label: int
    annotator: str | int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One question with its human judgments.

    Attributes:
        uid: The item's unique id.
        fields: The item's texts by name.
        human: The human judgment distribution over the task's labels, in their order.
        votes: The counts behind the distribution, if known.
        explanations: The annotators' explanations.
        references: Distributions from other label sources, by name.
        cluster: What this item shares with others, such as a premise or a dialogue. None if it stands alone.
    """

    uid: str
    fields: Mapping[str, str]
    human: tuple[float, ...]
    votes: tuple[float, ...] | None = None
    explanations: tuple[Explanation, ...] = ()
    references: Mapping[str, tuple[float, ...]] = field(default_factory=lambda: NO_REFERENCES)
    cluster: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Prompt:
    """One prompt for an item.

    Attributes:
        messages: The conversation.
        options: The indices of the labels behind the letters A, B, C, ... in this prompt.
        explanations: The indices of the item's explanations that the prompt shows, in order.
    """

    messages: tuple[Message, ...]
    options: tuple[int, ...]
    explanations: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Decoding:
    """How a model generates an answer.

    Attributes:
        max_tokens: The most tokens of the answer.
        temperature: 0 always takes the most probable token. Otherwise tokens are sampled.
        seed: Selects the random numbers. Prompt i of a group uses the stream (seed, i), so that the same logits give
            the same text.
    """

    max_tokens: int
    temperature: float = 0.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class PromptGroup:
    """Prompts of one item that are answered together. Groups are sent, stored and retried as a unit.

    Attributes:
        uid: The item.
        prompts: The prompts, all with the same number of options.
        decoding: How the answer is generated; None if the answer is the scores of the option letters.
    """

    uid: str
    prompts: tuple[Prompt, ...]
    decoding: Decoding | None = None

    @property
    def n_options(self) -> int:
        """The number of options in every prompt of the group."""
        return len(self.prompts[0].options)


@dataclass(frozen=True, slots=True, eq=False)
class OptionScores:
    """A model's scores for a prompt group.

    Attributes:
        uid: The item.
        scores: The scores (prompts, labels), in the task's label order.
        kind: Raw "logit"s or natural "logprob"s.
        mass: The total probability of the options (prompts,), if known.
        censored: True for each score that is only an upper bound (prompts, labels); None if none is.
    """

    uid: str
    scores: FloatArray
    kind: Literal["logit", "logprob"]
    mass: FloatArray | None = None
    censored: BoolArray | None = None

    def __post_init__(self) -> None:
        """Turn lists into arrays. Raises ValueError if they are not numbers, or if their shapes do not fit together."""
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
        """Why no model can have given these scores, in words; None if one can."""
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
        """False for each prompt (prompts,) whose scores are all bounds. It says nothing about the options."""
        if self.censored is None:
            return np.ones(len(self.scores), dtype=np.bool_)
        found: BoolArray = np.logical_not(self.censored.all(axis=1))
        return found


@dataclass(frozen=True, slots=True)
class GeneratedTexts:
    """The texts that a model generated for a prompt group.

    Attributes:
        uid: The item.
        texts: One text for each prompt.
        cut: Whether `max_tokens` truncated each text.
    """

    uid: str
    texts: tuple[str, ...]
    cut: tuple[bool, ...]

    def __post_init__(self) -> None:
        """Turn lists into tuples. Raises ValueError for wrong types, for no texts, and for lengths that differ."""
        for name, kind in (("texts", str), ("cut", bool)):
            values = getattr(self, name)
            if not isinstance(values, list | tuple) or not all(isinstance(each, kind) for each in values):
                raise ValueError(f"{name} of {self.uid} are no tuple of {kind.__name__}")
            object.__setattr__(self, name, tuple(values))
        if not self.texts or len(self.texts) != len(self.cut):
            raise ValueError(f"{len(self.texts)} texts of {self.uid} have {len(self.cut)} marks")


Answer = OptionScores | GeneratedTexts
"""The answer to a prompt group."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Distributions that were read from generated texts.

    Attributes:
        probabilities: The distributions (prompts, labels), with a row of zeros for each text that states none.
    """

    probabilities: FloatArray

    @property
    def read(self) -> BoolArray:
        """Whether each text could be read (prompts,)."""
        return np.asarray(self.probabilities.any(axis=1), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class ScoringFailure:
    """A prompt group that a backend could not answer, and the reason."""

    uid: str
    reason: str


@dataclass(frozen=True, slots=True)
class Prediction:
    """A model's judgment distribution for one item, or why there is none.

    Attributes:
        uid: The item.
        probabilities: The distribution over the task's labels, if there is one.
        failure: Why there is none.
        score_key: The key of the scores that it was computed from, if any.
        text_keys: The keys of the texts that were generated before or that it was read from, in order.
    """

    uid: str
    probabilities: tuple[float, ...] | None
    failure: str | None = None
    score_key: str | None = None
    text_keys: tuple[str, ...] = ()


def in_label_order(by_letter: FloatArray, group: PromptGroup) -> FloatArray:
    """Reorder scores by letter (prompts, options) into scores by label (prompts, labels)."""
    options = np.array([prompt.options for prompt in group.prompts])
    by_label = np.empty_like(by_letter)
    np.put_along_axis(by_label, options, by_letter, axis=1)
    return by_label


def distribution(counts: tuple[float, ...]) -> tuple[float, ...]:
    """Turn counts into a probability distribution. Raises ValueError for negative, non-finite or all-zero counts."""
    if not counts or any(not math.isfinite(count) or count < 0 for count in counts):
        raise ValueError(f"not a list of counts: {list(counts)}")
    # Divide by the largest first, so that the sum cannot overflow.
    largest = max(counts)
    if largest > 1e300:
        counts = tuple(count / largest for count in counts)
    total = math.fsum(counts)
    if total <= 0:
        raise ValueError("all counts are zero")
    return tuple(count / total for count in counts)


def distributions(rows: object, shape: tuple[int, ...]) -> FloatArray:
    """Return rows of probabilities as an array. Raises ValueError if they are not distributions of this shape."""
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
    """Return numbers or lists of them as an array. Raises ValueError for complex numbers, texts and the like."""
    if type(value) is np.ndarray and value.dtype == np.float64:
        return value
    found = np.asarray(value)
    if found.dtype.kind not in "fiu":
        raise ValueError(f"{what} are no real numbers, but of the type {found.dtype.name}")
    return found.astype(np.float64)
