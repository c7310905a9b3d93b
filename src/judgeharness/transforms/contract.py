"""The contract of transforms."""

from __future__ import annotations

from collections.abc import Callable

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, OptionScores

Transform = Callable[[OptionScores], FloatArray]
"""Turns the option scores of a prompt group into probabilities (prompts, labels). Each row sums to 1.

Raises UndefinedTransformError if the transform is undefined for the scores. The mean over prompts is taken afterwards.
"""


class UndefinedTransformError(HarnessError):
    """The transform is undefined for these scores. The message says why."""
