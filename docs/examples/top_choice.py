"""A transform: all probability goes to the option with the highest score."""

from __future__ import annotations

import numpy as np

from judgeharness.plugin import FloatArray, Options, OptionScores, Transform, TransformSpec, hookimpl


@hookimpl
def judgeharness_transforms() -> list[TransformSpec]:
    """Return the transforms of this plugin."""
    return [
        TransformSpec(
            name="top-choice",
            summary="probability 1 for the option with the highest score; ties share it",
            target=f"{__name__}:top_choice",
        )
    ]


def top_choice(options: Options) -> Transform:
    """Return the function that turns the scores of a prompt group into probabilities."""

    def transform(scores: OptionScores) -> FloatArray:
        best = scores.scores == scores.scores.max(axis=1, keepdims=True)
        return np.asarray(best / best.sum(axis=1, keepdims=True), dtype=np.float64)

    return transform
