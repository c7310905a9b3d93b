"""`norm`: p_j = s_j / sum_j s_j over the raw logits s_j of the option letters.

Source: Chen et al. 2024 ("Seeing the Big through the Small"), section 3. Undefined unless every s_j > 0.
"""

from __future__ import annotations

from judgeharness.domain.nouns import FloatArray, OptionScores
from judgeharness.plugins.options import NoOptions
from judgeharness.transforms.contract import Transform, UndefinedTransformError


def norm(options: NoOptions) -> Transform:
    """Return the transform, which has no options."""
    return _norm


def _norm(scores: OptionScores) -> FloatArray:
    if scores.kind != "logit":
        raise UndefinedTransformError("norm needs raw logits, and these are log-probabilities")
    if (scores.scores <= 0).any():
        raise UndefinedTransformError("norm needs logits above zero, and one of these is not")
    result: FloatArray = scores.scores / scores.scores.sum(axis=1, keepdims=True)
    return result
