"""Metrics at work on predictions: which items count, which metrics apply, and what is undefined."""

from dataclasses import replace

import numpy as np
import pytest

from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure, Sample, applicable, measure
from judgeharness.plugins.specs import MetricSpec
from tests.helpers import item


def made_up(metric, level="item", **more):
    about = {"name": "m", "summary": "made up", "target": "m:m", "label": "M", "source": "made up", "unit": ""}
    spec = MetricSpec(**about, direction="lower", range=(0.0, None), level=level)
    return Measure(spec, metric, **more)


def test_items_without_a_prediction_are_left_out(registry):
    items = [item("a", (1.0, 0.0)), item("b", (0.5, 0.5)), item("c", (0.0, 1.0))]
    predictions = [Prediction("a", (0.5, 0.5)), Prediction("b", None, "failed"), Prediction("c", (0.0, 1.0))]
    found = Sample.of(items, predictions)
    np.testing.assert_array_equal(found.human, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(found.model, [[0.5, 0.5], [0, 1]])
    measures = default_measures(registry)
    assert measure(items, predictions, measures)["tvd"] == pytest.approx(0.25)
    none = [Prediction(each.uid, None, "failed") for each in items]
    assert set(measure(items, none, measures).values()) == {None}


def test_a_metric_cannot_change_what_others_read():
    def greedy(human, model):
        human[:] = 7
        return np.zeros(len(human))

    human = np.full((2, 2), 0.5)
    made_up(greedy).values(Sample(human, human))
    assert (human == 0.5).all()


def test_what_is_not_usable_is_a_fault_and_no_value():
    human = np.full((3, 2), 0.5)
    short = made_up(lambda human, model: np.zeros(2))
    assert short.value(Sample(human, human)) is None
    assert "gives the shape (2,), not (3,)" in short.fault(Sample(human, human))
    undefined = made_up(lambda human, model: np.array([1.0, np.nan, np.inf]))
    assert undefined.value(Sample(human, human)) is None
    assert "gives nan for 2 of 3 items" in undefined.fault(Sample(human, human))
    assert made_up(lambda human, model: np.zeros(3)).fault(Sample(human, human)) is None


def test_samples_repeat_items():
    corpus = made_up(lambda human, model: float(model[:, 0].sum()), "corpus")
    model = np.array([[1.0, 0.0], [10.0, 0.0]])
    np.testing.assert_array_equal(corpus.resamples(Sample(model, model), np.array([[2, 0], [1, 1]])), [2, 11])


def test_metrics_of_votes_take_votes():
    counted = made_up(lambda votes, model: votes.sum(axis=1))
    counted = Measure(replace(counted.spec, votes=True), counted.metric)
    shares = np.full((2, 2), 0.5)
    assert counted.value(Sample(shares, shares, np.array([[3.0, 3.0], [1.0, 1.0]]))) == 4
    assert counted.value(Sample(shares, shares)) is None
    assert "takes votes, and these items have shares only" in counted.fault(Sample(shares, shares))


def test_clusters_are_numbered_and_kept():
    items = [replace(item(uid, (0.5, 0.5)), cluster=name) for uid, name in zip("abc", "xyx", strict=True)]
    predictions = [Prediction(each.uid, (0.5, 0.5)) for each in items]
    found = Sample.of(items, predictions)
    assert found.clusters.tolist() == [0, 1, 0]
    assert found.at(np.array([2, 1])).clusters.tolist() == [0, 1]
    assert Sample.of([*items, item("d", (1.0, 0.0))], [*predictions, Prediction("d", (1.0, 0.0))]).clusters is None


def test_metrics_of_an_order_need_one(registry):
    measures = default_measures(registry, ["wasserstein"])
    assert "wasserstein" not in applicable(measures, False)
    assert "wasserstein" in applicable(measures, True)
