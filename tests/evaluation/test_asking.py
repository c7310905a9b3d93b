import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.nouns import OptionScores
from judgeharness.evaluation.components import component
from judgeharness.testing.pretend import PretendModel, predictions
from judgeharness.transforms.average import UninformativeError, estimate
from judgeharness.transforms.softmax import SoftmaxOptions, softmax
from tests.helpers import bundled

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


class Nonsense(PretendModel):
    """A plugin's model that gives probabilities where it says log-probabilities."""

    def score(self, groups):
        for each in super().score(groups):
            yield OptionScores(each.uid, np.abs(each.scores), "logprob")


def test_scores_that_no_model_can_give_fail_their_item(registry, folders, tmp_path):
    task = bundled("nli-sample", folders).limited(2)
    strategy = component(registry.strategies, "no-explanation", {}).part
    for found in predictions(strategy, task, Nonsense(), tmp_path / "s.db"):
        assert found.probabilities is None
        assert "its log-probabilities are of probabilities that sum to" in found.failure
