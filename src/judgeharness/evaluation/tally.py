"""A tally of what stood in the answers of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from judgeharness.domain.nouns import GeneratedTexts, OptionScores, Reading


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
