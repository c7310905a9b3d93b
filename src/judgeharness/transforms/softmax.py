"""`softmax`: p_j = exp(s_j / tau) / sum_j exp(s_j / tau).

Source: Chen et al. 2024, section 3; tau = 20 in the released code. A constant added to every s_j changes nothing, so
log-probabilities give the same result as logits.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from judgeharness.domain.nouns import FloatArray, OptionScores
from judgeharness.plugins.options import Options
from judgeharness.transforms.contract import Transform


class SoftmaxOptions(Options):
    """`temperature` is tau, which must be greater than 0. The default of 20 is the paper's for Llama 3."""

    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 20.0


def softmax(options: SoftmaxOptions) -> Transform:
    """Return the transform at one temperature."""

    def apply(scores: OptionScores) -> FloatArray:
        from scipy.special import softmax as stable_softmax

        result: FloatArray = stable_softmax(scores.scores / options.temperature, axis=1)
        return result

    return apply
