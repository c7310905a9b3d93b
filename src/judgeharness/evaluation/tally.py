"""Counts over the answers of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from judgeharness.domain.nouns import FloatArray, GeneratedTexts, OptionScores, Reading


@dataclass(slots=True)
class Tally:
    """Counts over the answers of a run.

    Attributes:
        masses: The mean total probability of each item's options, if known.
        options: How many option scores there are.
        censored: How many of these are only bounds.
        left_out: How many prompts were left out because their answers say nothing.
        texts: How many texts were generated.
        cut: How many texts were truncated at their token limit.
        unread: How many texts should have given a distribution but could not be read.
        means: The mean probability of each label over each item's prompts, without a temperature.
        spreads: The standard deviation of each label's probability over each item's prompts.
    """

    masses: list[float] = field(default_factory=list)
    options: int = 0
    censored: int = 0
    left_out: int = 0
    texts: int = 0
    cut: int = 0
    unread: int = 0
    means: list[FloatArray] = field(default_factory=list)
    spreads: list[FloatArray] = field(default_factory=list)

    def count(self, answer: OptionScores | Reading, written: Sequence[GeneratedTexts]) -> None:
        """Add an item's answer and the texts that led to it."""
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
        usable = answer.scores[answer.informative]
        if len(usable):
            shares = np.exp(usable - usable.max(axis=1, keepdims=True))
            shares /= shares.sum(axis=1, keepdims=True)
            self.means.append(shares.mean(axis=0))
            self.spreads.append(shares.std(axis=0))

    def facts(self) -> dict[str, int | float | None]:
        """Return the counts as they are recorded."""
        found: dict[str, int | float | None] = {
            "options_mass": float(np.mean(self.masses)) if self.masses else None,
            "options": self.options,
            "options_censored": self.censored,
            "prompts_left_out": self.left_out,
        }
        if len(self.means) > 1:
            found["order_spread"] = float(np.mean(self.spreads))
            found["item_spread"] = float(np.std(self.means, axis=0).mean())
        return found | ({"texts": self.texts, "texts_cut": self.cut, "texts_unread": self.unread} if self.texts else {})
