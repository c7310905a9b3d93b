"""What a run asked, from its record and the store."""

from dataclasses import replace

import numpy as np
import pytest

from judgeharness.domain.errors import InputError
from judgeharness.evaluation.again.replay import answered_again, asked_again, bias_of
from judgeharness.transforms.softmax import SoftmaxOptions, softmax


def test_prompts_and_answers_are_those_of_the_run(pretend):
    workspace, evaluate = pretend
    (run,) = evaluate("parallel")
    with workspace.open_store() as store:
        task = workspace.task_of(run)
        found = list(answered_again(run, task, workspace.registry, store))
        shares = list(asked_again(run, task.limited(3), workspace.registry, store))
        predictions = {each.uid: each.probabilities for each in store.runs.predictions(run.id)}
        bias = bias_of(run, task, workspace.registry, store)
    assert [each.item.uid for each in found] == list(predictions)
    transform = softmax(SoftmaxOptions())
    for each, share in zip(found, shares, strict=True):
        (scores,) = workspace.backend("pretend:x", {}).part.score([each.turn.group])
        np.testing.assert_allclose(each.answer.scores, scores.scores)
        np.testing.assert_allclose(share.probabilities, transform(scores))
        np.testing.assert_allclose(share.probabilities.mean(axis=0), predictions[each.item.uid])
    assert bias.items == 3
    assert sum(each.value for each in bias.letters) == pytest.approx(1)


def test_another_task_is_refused(pretend):
    workspace, evaluate = pretend
    (run,) = evaluate("no-explanation")
    with workspace.open_store() as store:
        task = workspace.task_of(run)
        items = tuple(replace(item, fields={**item.fields, "premise": "another one"}) for item in task.items)
        with pytest.raises(InputError, match="are not what they were"):
            list(answered_again(run, replace(task, items=items), workspace.registry, store))
        with pytest.raises(InputError, match="is not an item of task"):
            list(answered_again(run, replace(task, items=items[3:]), workspace.registry, store))
