"""Asking: what a model gives is checked and stored, and what it should not give fails its item alone."""

import numpy as np
import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores
from judgeharness.evaluation.components import component
from judgeharness.testing.pretend import PretendModel, predictions
from tests.helpers import bundled


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


class Repeating(PretendModel):
    """Answers for an item twice."""

    def score(self, groups):
        for each in super().score(groups):
            yield each
            yield each


class Forgetful(PretendModel):
    """Answers for the first item alone."""

    def score(self, groups):
        yield from list(super().score(groups))[:1]


@pytest.mark.parametrize(("model", "message"), [(Repeating, "asked no more"), (Forgetful, "gave no answer for 1 of 2")])
def test_answers_are_one_for_each_item(registry, folders, tmp_path, model, message):
    task = bundled("nli-sample", folders).limited(2)
    strategy = component(registry.strategies, "no-explanation", {}).part
    with pytest.raises(HarnessError, match=message):
        predictions(strategy, task, model(), tmp_path / "s.db")
