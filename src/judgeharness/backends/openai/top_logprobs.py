"""Finds the answer letters among a server's top tokens, and bounds the log-probabilities of those that are missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.backends.openai.replies import Answer, Candidate
from judgeharness.domain.nouns import BoolArray, FloatArray


@dataclass(frozen=True, slots=True)
class LetterNames:
    """How a letter is recognized among a server's tokens.

    Attributes:
        tokens: The letters' token ids. A token without an id is compared by its exact text, as are all tokens if this
            is None.
        form: What comes before the letter in its token's text: "" or " ".
    """

    tokens: Mapping[str, int] | None = None
    form: str = ""

    def matches(self, candidate: Candidate, letter: str) -> bool:
        """Return whether a candidate is the letter."""
        if self.tokens is not None and candidate.token is not None:
            return candidate.token == self.tokens.get(letter)
        return candidate.text == self.form + letter


@dataclass(frozen=True, slots=True, eq=False)
class FoundLetters:
    """The letters in one answer.

    Attributes:
        logprobs: The log-probabilities (letters,); upper bounds for the letters that are censored.
        censored: Which letters the server did not return (letters,).
        mass: The total probability of the returned letters.
    """

    logprobs: FloatArray
    censored: BoolArray
    mass: float


def find_letters(answer: Answer, letters: Sequence[str], names: LetterNames) -> FoundLetters:
    """Find the letters in an answer.

    A letter that was not returned is at most as probable as the least probable of the returned top tokens, so that is
    its bound. The sampled token does not count for the bound if it is the least probable, since servers also list it
    when it is not among the top tokens.
    """
    found = [_find(answer.candidates, letter, names) for letter in letters]
    censored = np.array([each is None for each in found])
    bound = _bound(answer)
    values = [bound if each is None else each.logprob for each in found]
    mass = float(sum(np.exp(each.logprob) for each in found if each is not None))
    return FoundLetters(np.array(values, dtype=np.float64), censored, min(mass, 1.0))


def _find(candidates: Sequence[Candidate], letter: str, names: LetterNames) -> Candidate | None:
    matching = [candidate for candidate in candidates if names.matches(candidate, letter)]
    # Two tokens can have the same text, such as 'A' and the 'A' at the start of a word. Take the more probable one.
    return max(matching, key=lambda candidate: candidate.logprob, default=None)


def _bound(answer: Answer) -> float:
    ordered = sorted(answer.candidates, key=lambda candidate: candidate.logprob)
    sampled = answer.sampled
    if sampled is not None and len(ordered) > 1 and _same(ordered[0], sampled):
        return ordered[1].logprob
    return ordered[0].logprob


def _same(one: Candidate, other: Candidate) -> bool:
    return (one.text, one.token) == (other.text, other.token)
