"""A backend: a judge that prefers one letter, whatever the option behind it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from judgeharness.plugin import (
    LETTERS,
    BackendContext,
    BackendSpec,
    InputError,
    Options,
    OptionScores,
    PromptGroup,
    ScoringFailure,
    hookimpl,
    in_label_order,
)


@hookimpl
def judgeharness_backends() -> list[BackendSpec]:
    """Return the backends of this plugin."""
    return [
        BackendSpec(
            name="letter",
            summary="prefers one letter: letter:A, letter:B, ...",
            target=f"{__name__}:LetterJudge",
            options=f"{__name__}:LetterOptions",
        )
    ]


class LetterOptions(Options):
    """strength: the logit of the preferred letter. The other letters have 0."""

    strength: float = 2.0


class LetterJudge:
    """Scores the options of a prompt by their letters alone."""

    def __init__(self, model: str, options: LetterOptions, context: BackendContext) -> None:
        if len(model) != 1 or model not in LETTERS:
            raise InputError(f"letter:{model}: not a letter", "use letter:A, letter:B, ...")
        self._letter, self._strength = model, options.strength

    def describe(self) -> Mapping[str, Any]:
        """Return everything that changes the scores. They are cached under it."""
        return {"backend": "letter", "letter": self._letter, "strength": self._strength}

    def environment(self) -> Mapping[str, Any]:
        """Return what else the record of a run should hold."""
        return {}

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """Return the text of each prompt. This judge reads none."""
        return None

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Return the token ids of each prompt. This judge has no tokens."""
        return None

    def open(self) -> None:
        """Load the model. Here is none."""

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """Yield the scores of each group: a row for each prompt, a column for each label."""
        for group in groups:
            row = [self._strength if letter == self._letter else 0.0 for letter in LETTERS[: group.n_options]]
            by_letter = np.tile(row, (len(group.prompts), 1))
            yield OptionScores(group.uid, in_label_order(by_letter, group), "logit")

    def close(self) -> None:
        """Release the model."""
