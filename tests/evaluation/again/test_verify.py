"""A sample of stored answers, asked again: drawn by a seed, compared letter by letter."""

import numpy as np
import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.again.origin import request_for
from judgeharness.evaluation.again.verify import Sample, sampled, verify
from judgeharness.testing.pretend import PretendModel


def test_a_sample_is_the_same_for_a_seed_and_of_answered_items():
    predictions = [Prediction(str(n), (1.0,), None, None if n % 2 else f"key {n}") for n in range(40)]
    drawn = sampled(predictions, 8, 1)
    assert len(set(drawn)) == 8
    assert all(int(uid) % 2 == 0 for uid in drawn)
    assert drawn == sorted(drawn, key=int) == sampled(predictions, 8, 1)
    assert drawn != sampled(predictions, 8, 2)
    assert len(sampled(predictions, 100, 0)) == 20


def verified(workspace, run, tolerance=1e-3, **sample):
    with workspace.open_store() as store:
        request = request_for(run, store).request
        return verify(run, request, store, workspace, Sample(**sample), tolerance)


@pytest.mark.parametrize(("strategy", "answers"), [("parallel", 3), ("verbalized", 3), ("cot", 6)])
def test_the_same_model_gives_the_same(pretend, strategy, answers):
    workspace, evaluate = pretend
    (run,) = evaluate(strategy)
    found = verified(workspace, run)
    assert found.holds
    assert len(found.checked) == answers
    assert found.changes == []


def test_another_model_does_not(pretend, monkeypatch):
    workspace, evaluate = pretend
    (scored,), (written,) = evaluate("parallel"), evaluate("verbalized")
    before = PretendModel.score

    def other(self, groups):
        for each in before(self, groups):
            yield type(each)(each.uid, np.roll(each.scores, 1, axis=1), "logit")

    monkeypatch.setattr(PretendModel, "score", other)
    found = verified(workspace, scored, size=2)
    assert len(found.checked) == 2
    assert not found.holds
    assert all(each.distance > 1e-3 for each in found.checked)
    assert verified(workspace, scored, tolerance=1.0).holds
    assert verified(workspace, written).holds


def test_a_run_that_asked_nothing_has_nothing_to_verify(pretend):
    workspace, evaluate = pretend
    (run,) = evaluate(transforms=(), backends=("baseline:uniform",))
    with pytest.raises(InputError, match="asked no prompts"):
        verified(workspace, run)
