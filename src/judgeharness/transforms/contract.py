"""What a transform is."""

from __future__ import annotations

from collections.abc import Callable

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import FloatArray, OptionScores

Transform = Callable[[OptionScores], FloatArray]
"""Option scores of a prompt group to probabilities (prompts, labels), each row summing to 1.

Raises UndefinedTransformError where the scores do not allow it. Prompts are averaged afterwards.
"""


class UndefinedTransformError(HarnessError):
    """The scores do not allow this transform; the message says why."""
