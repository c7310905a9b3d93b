"""From answers to distributions: only prompts that say something count."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores, Reading
from judgeharness.transforms.average import UninformativeError, average, distribution_of, estimate
from judgeharness.transforms.softmax import SoftmaxOptions, softmax

SHARP = softmax(SoftmaxOptions(temperature=1.0))


def scores(rows, censored=None):
    mask = None if censored is None else np.array(censored, dtype=bool)
    return OptionScores("u", np.array(rows, dtype=float), "logprob", None, mask)


def test_a_prompt_of_bounds_alone_is_left_out_of_the_average():
    rows = [[-0.1, -3.0, -4.0], [-5.0, -5.0, -5.0], [-0.2, -2.0, -4.0]]
    censored = [[False, False, True], [True, True, True], [False, False, False]]
    expected = SHARP(scores([rows[0], rows[2]])).mean(axis=0)
    np.testing.assert_allclose(estimate(scores(rows, censored), SHARP), expected)


def test_an_item_without_any_informative_prompt_has_no_distribution():
    with pytest.raises(UninformativeError, match="none of the options was among the tokens that the server returned"):
        estimate(scores([[-1.0, -1.0]], [[True, True]]), SHARP)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6))
def test_a_prompt_is_informative_where_at_least_one_option_was_returned(censored):
    found = scores(np.zeros((len(censored), 3)) - 1, censored)
    assert found.informative.tolist() == [not all(row) for row in censored]
    assert scores([[-1.0, -2.0]]).informative.tolist() == [True]


def test_texts_that_cannot_be_read_are_left_out_of_the_average():
    reading = Reading(np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 0.5]]))
    np.testing.assert_allclose(average(reading), [0.75, 0.25])
    np.testing.assert_allclose(distribution_of(reading, None), [0.75, 0.25])
    with pytest.raises(UninformativeError, match="none of the 2 texts could be read"):
        average(Reading(np.zeros((2, 3))))


def test_scores_without_a_transform_are_a_broken_strategy():
    with pytest.raises(HarnessError, match="its 'ends_in' is wrong"):
        distribution_of(scores([[0.0, 1.0]]), None)


def test_what_is_no_distribution_is_named():
    with pytest.raises(HarnessError, match="does not give distributions"):
        estimate(scores([[0.5, 1.0]]), lambda found: found.scores)
