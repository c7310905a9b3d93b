import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from judgeharness.domain.nouns import OptionScores
from judgeharness.plugins.options import NoOptions
from judgeharness.transforms.contract import UndefinedTransformError
from judgeharness.transforms.norm import norm
from judgeharness.transforms.softmax import SoftmaxOptions, softmax

scores = arrays(float, st.tuples(st.integers(1, 6), st.integers(2, 5)), elements=st.floats(-50, 50))


def _of(values, kind="logit"):
    return OptionScores("i", np.array(values, dtype=float), kind)


@given(scores, st.floats(0.05, 100))
def test_softmax_is_its_formula(values, temperature):
    result = softmax(SoftmaxOptions(temperature=temperature))(_of(values))
    for row, probabilities in zip(values, result, strict=True):
        top = max(row)
        weights = [math.exp((s - top) / temperature) for s in row]
        assert probabilities == pytest.approx([w / sum(weights) for w in weights], abs=1e-12)


@given(scores, st.floats(-30, 30))
def test_softmax_does_not_see_a_constant(values, constant):
    apply = softmax(SoftmaxOptions())
    np.testing.assert_allclose(apply(_of(values)), apply(_of(values + constant, "logprob")), atol=1e-9)


@given(scores)
def test_norm_is_its_formula_or_undefined(values):
    if (values <= 0).any():
        with pytest.raises(UndefinedTransformError):
            norm(NoOptions())(_of(values))
    else:
        result = norm(NoOptions())(_of(values))
        for row, probabilities in zip(values, result, strict=True):
            assert probabilities == pytest.approx([s / sum(row) for s in row])


def test_norm_refuses_log_probabilities_even_above_zero():
    with pytest.raises(UndefinedTransformError, match="log-probabilities"):
        norm(NoOptions())(_of([[1.0, 2.0]], "logprob"))


@pytest.mark.parametrize("temperature", [0, -1, math.inf, math.nan])
def test_temperature_is_above_zero_and_finite(temperature):
    with pytest.raises(ValueError, match="temperature"):
        SoftmaxOptions(temperature=temperature)
