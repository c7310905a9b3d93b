import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.nouns import GeneratedTexts, OptionScores, distribution, distributions, in_label_order
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
        (good + 1j, None, None),
        (good.astype(object), None, None),
        (good.astype(bool), None, None),
        ([["1", "2"]], None, None),
        ("12", None, None),
        (good, np.ones(3), None),
        (good, ["a", "b"], None),
        (good, None, np.zeros((3, 2), dtype=bool)),
        (good, None, good),
    ):
        with pytest.raises(ValueError, match="i "):
            OptionScores("i", scores, "logit", mass, censored)
    with pytest.raises(ValueError, match="of the kind 'odds'"):
        OptionScores("i", good, "odds")


def test_lists_of_numbers_are_taken_for_arrays():
    scores = OptionScores("i", [[1, 2], [3, 4]], "logit", [0.5, 1], [[True, False], [False, False]])
    assert scores.scores.dtype == np.float64
    assert scores.mass.tolist() == [0.5, 1.0]
    assert scores.informative.tolist() == [True, True]
    assert GeneratedTexts("i", ["a"], [False]) == GeneratedTexts("i", ("a",), (False,))
    for texts, cut in (((1,), (False,)), (("a",), (None,)), ("a", (False,)), (("a",), ())):
        with pytest.raises(ValueError, match="of i"):
            GeneratedTexts("i", texts, cut)


@pytest.mark.parametrize(
    ("scores", "mass", "reason"),
    [
        ([[1.0, np.nan]], None, "not all finite"),
        ([[1.0, -np.inf]], None, "not all finite"),
        ([[1.0, 2.0]], [2.0], "hold together is 2"),
        ([[1.0, 2.0]], [-0.5], "hold together is -0.5"),
        ([[1.0, 2.0]], [np.nan], "hold together is nan"),
    ],
)
def test_numbers_that_no_model_gives_are_found(scores, mass, reason):
    assert reason in OptionScores("i", scores, "logit", mass).nonsense


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([[0.5, 0.5], [1, 0]], None),
        ([[0.5, 0.5]], "the shape is"),
        ([[0.5, 0.6], [1, 0]], "sum to 1.1"),
        ([[1.5, -0.5], [1, 0]], "is -0.5"),
        ([[np.nan, 0.5], [1, 0]], "is nan"),
        ([[0.5 + 0j, 0.5], [1, 0]], "no real numbers"),
        ("much", "no real numbers"),
        (None, "no real numbers"),
        ([[1], [1, 0]], "inhomogeneous"),
    ],
)
def test_rows_of_probabilities(rows, reason):
    if reason is None:
        assert distributions(rows, (2, 2)).tolist() == rows
        return
    with pytest.raises(ValueError, match=reason):
        distributions(rows, (2, 2))


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
