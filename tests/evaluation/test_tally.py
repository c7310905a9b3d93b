"""What stood in the answers, counted over items."""

import numpy as np
import pytest

from judgeharness.domain.nouns import GeneratedTexts, OptionScores, Reading
from judgeharness.evaluation.tally import Tally


def test_scores_are_counted_with_their_bounds_and_masses():
    tally = Tally()
    censored = np.array([[True, True], [False, True]])
    tally.count(OptionScores("a", np.zeros((2, 2)), "logprob", np.array([0.5, 0.7]), censored), [])
    tally.count(OptionScores("b", np.zeros((1, 2)), "logit", np.array([0.2])), [])
    assert tally.facts() == {
        "options_mass": pytest.approx((0.6 + 0.2) / 2),
        "options": 6,
        "options_censored": 3,
        "prompts_left_out": 1,
        "order_spread": 0.0,
        "item_spread": 0.0,
    }


def test_orders_and_items_spread_by_hand():
    """One item whose prompts say .9 and .1 of the first label, and one whose prompts say .8 both times."""
    tally = Tally()
    tally.count(OptionScores("a", np.log([[0.9, 0.1], [0.1, 0.9]]), "logprob"), [])
    tally.count(OptionScores("b", np.log([[0.8, 0.2], [0.8, 0.2]]), "logprob"), [])
    facts = tally.facts()
    assert facts["order_spread"] == pytest.approx((0.4 + 0.0) / 2)
    assert facts["item_spread"] == pytest.approx((0.8 - 0.5) / 2)


def test_texts_are_counted_only_where_there_are_any():
    tally = Tally()
    written = [GeneratedTexts("a", ("x", "y", "z"), (False, True, False))]
    tally.count(Reading(np.array([[1.0, 0.0], [0.0, 0.0], [0.5, 0.5]])), written)
    facts = tally.facts()
    assert (facts["texts"], facts["texts_cut"], facts["texts_unread"]) == (3, 1, 1)
    assert facts["options_mass"] is None
    assert "texts" not in Tally().facts()
