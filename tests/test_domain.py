import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain import OptionScores, distribution, in_label_order
from tests.helpers import group


@given(st.permutations(range(4)), st.permutations(range(4)))
def test_scores_by_letter_become_scores_by_label(first, second):
    asked = group(orders=(tuple(first), tuple(second)))
    by_letter = np.array([[10.0 * options[letter] for letter in range(4)] for options in (first, second)])
    np.testing.assert_array_equal(in_label_order(by_letter, asked), [[0, 10, 20, 30]] * 2)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=6))
def test_a_distribution_sums_to_one_or_is_refused(counts):
    if sum(counts) == 0:
        with pytest.raises(ValueError, match="zero"):
            distribution(tuple(counts))
    else:
        assert sum(distribution(tuple(counts))) == pytest.approx(1)


@pytest.mark.parametrize("counts", [(), (1, -1), (float("nan"),), (float("inf"), 1)])
def test_what_is_no_distribution(counts):
    with pytest.raises(ValueError, match="not a list of counts"):
        distribution(counts)


def test_arrays_that_do_not_fit_are_refused():
    good = np.ones((2, 3))
    OptionScores("i", good, "logit", np.ones(2), np.zeros((2, 3), dtype=bool))
    for scores, mass, censored in (
        (np.ones(3), None, None),
        (np.ones((0, 3)), None, None),
        (np.array([[1.0, np.nan]]), None, None),
        (good, np.ones(3), None),
        (good, None, np.zeros((3, 2), dtype=bool)),
    ):
        with pytest.raises(ValueError, match="i "):
            OptionScores("i", scores, "logit", mass, censored)


@pytest.mark.parametrize(
    ("rows", "censored", "reason"),
    [
        ([[-0.1, -9999.0]], None, "one that is not known"),
        ([[-0.1, -9999.0]], [[False, True]], "one that is not known"),
        ([[-1.0, -2.0], [0.0, 0.0]], None, "sum to 2"),
        ([[700.0, 0.0]], None, "sum to"),
    ],
)
def test_scores_that_cannot_be_log_probabilities_are_found(rows, censored, reason):
    marks = None if censored is None else np.array(censored)
    assert reason in OptionScores("i", np.array(rows), "logprob", None, marks).nonsense
    assert OptionScores("i", np.array(rows), "logit", None, marks).nonsense is None


def test_bounds_may_be_above_what_is_left():
    marks = np.array([[False, True, True]])
    assert OptionScores("i", np.array([[-0.1, -0.1, -0.1]]), "logprob", None, marks).nonsense is None
