import json

import numpy as np
import pytest

from judgeharness.analysis.slices import slice_names, sliced
from judgeharness.domain.errors import UnknownNameError
from judgeharness.domain.nouns import Explanation, Item, Prediction
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample
from judgeharness.plugins.registry import Registry
from tests.helpers import judgeharness

LABELS = ("e", "n", "c")


def items(count=30):
    random = np.random.default_rng(0)
    return [
        Item(
            f"i{place}", {"genre": ("fiction", "travel")[place % 2]}, tuple(random.dirichlet([1, 1, 1])), None,
            tuple(Explanation("x", label) for label in range(place % 3 + 1)), {"old": (0.0, 1.0, 0.0)},
        )
        for place in range(count)
    ]  # fmt: skip


def test_bins_of_entropy_hold_as_many_items_each_and_rise():
    made = items()
    names = slice_names(made, LABELS, "entropy", 3)
    assert sorted(names.count(name) for name in set(names)) == [10, 10, 10]
    entropy = [-sum(p * np.log(p) for p in item.human) for item in made]
    order = sorted(range(len(made)), key=lambda place: entropy[place])
    assert [names[place] for place in order] == sorted(names)
    same = [Item("u", {}, (0.5, 0.5)), Item("v", {}, (0.5, 0.5))]
    assert len(set(slice_names(same, LABELS, "entropy", 4))) == 1


def test_other_slices():
    made = items()
    assert slice_names(made, LABELS, "majority", 3) == [LABELS[int(np.argmax(item.human))] for item in made]
    assert slice_names(made, LABELS, "explained-labels", 3)[:3] == ["1 labels", "2 labels", "3 labels"]
    assert set(slice_names(made, LABELS, "old", 3)) == {"n"}
    assert slice_names(made, LABELS, "genre", 3)[:2] == ["fiction", "travel"]
    with pytest.raises(UnknownNameError, match="unknown slice 'gender'"):
        slice_names(made, LABELS, "gender", 3)


def test_a_slice_is_measured_as_its_items_alone():
    made = items()
    random = np.random.default_rng(1)
    predictions = [Prediction(item.uid, tuple(random.dirichlet([1, 1, 1]))) for item in made]
    predictions[0] = Prediction("i0", None, "failed")
    measures = default_measures(Registry.from_environment())
    names = slice_names(made, LABELS, "genre", 3)
    fiction, travel = sliced(made, predictions, names, measures)
    assert (fiction.name, fiction.items, travel.items) == ("fiction", 14, 15)
    human = np.array([item.human for item in made[1::2]])
    model = np.array([each.probabilities for each in predictions[1::2]])
    for name, each in measures.items():
        assert travel.metrics[name] == pytest.approx(each.value(Sample(human, model)))
        sure = travel.intervals[name]
        # KL has none for so few items.
        assert (sure is None) == (name == "kl")
        assert sure is None or sure.low <= sure.high
    assert travel.intervals["tvd"].low <= travel.metrics["tvd"] <= travel.intervals["tvd"].high
    few = sliced(made[:5], predictions[:5], names[:5], measures)
    assert all(set(each.intervals.values()) == {None} for each in few)


def test_the_program(tmp_path):
    store = tmp_path / "s.db"
    done = judgeharness(
        "eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--store", store, "--format", "json"
    )
    run = json.loads(done.out)["runs"][0]["id"]
    shown = judgeharness("slices", run, "--store", store, "--bins", "2")
    assert shown.code == 0, shown.err
    assert "1: " in shown.out
    assert "±" in shown.out
    (found,) = json.loads(judgeharness("slices", run, "--by", "majority", "--store", store, "--format", "json").out)
    assert sum(each["items"] for each in found["slices"]) == 24
    wrong = judgeharness("slices", run, "--by", "entropi", "--store", store)
    assert wrong.code == 2
    assert "did you mean entropy" in wrong.err
