"""Metrics at work on predictions: which items count, which metrics apply, and what is undefined."""

import numpy as np
import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure, applicable, measure, paired
from judgeharness.plugins.specs import MetricSpec
from tests.helpers import item


def made_up(metric, level="item", **more):
    about = {"name": "m", "summary": "made up", "target": "m:m", "label": "M", "source": "made up", "unit": ""}
    spec = MetricSpec(**about, direction="lower", range=(0.0, None), level=level)
    return Measure(spec, metric, **more)


def test_items_without_a_prediction_are_left_out(registry):
    items = [item("a", (1.0, 0.0)), item("b", (0.5, 0.5)), item("c", (0.0, 1.0))]
    predictions = [Prediction("a", (0.5, 0.5)), Prediction("b", None, "failed"), Prediction("c", (0.0, 1.0))]
    human, model = paired(items, predictions)
    np.testing.assert_array_equal(human, [[1, 0], [0, 1]])
    np.testing.assert_array_equal(model, [[0.5, 0.5], [0, 1]])
    measures = default_measures(registry)
    assert measure(items, predictions, measures)["tvd"] == pytest.approx(0.25)
    none = [Prediction(each.uid, None, "failed") for each in items]
    assert set(measure(items, none, measures).values()) == {None}


def test_a_metric_cannot_change_what_others_read():
    def greedy(human, model):
        human[:] = 7
        return np.zeros(len(human))

    human = np.full((2, 2), 0.5)
    made_up(greedy).values(human, human)
    assert (human == 0.5).all()


def test_what_is_not_usable_is_a_fault_and_no_value():
    human = np.full((3, 2), 0.5)
    short = made_up(lambda human, model: np.zeros(2))
    assert short.value(human, human) is None
    assert "gives the shape (2,), not (3,)" in short.fault(human, human)
    undefined = made_up(lambda human, model: np.array([1.0, np.nan, np.inf]))
    assert undefined.value(human, human) is None
    assert "gives nan for 2 of 3 items" in undefined.fault(human, human)
    assert made_up(lambda human, model: np.zeros(3)).fault(human, human) is None


def test_samples_repeat_items():
    corpus = made_up(lambda human, model: float(model[:, 0].sum()), "corpus")
    model = np.array([[1.0, 0.0], [10.0, 0.0]])
    np.testing.assert_array_equal(corpus.resamples(model, model, np.array([[2, 0], [1, 1]])), [2, 11])


def test_an_interval_that_is_turned_round_is_refused():
    human = np.full((2, 2), 0.5)
    assert made_up(lambda human, model: 0.0, "corpus").own_interval(human, human, 0.95) is None
    turned = made_up(lambda human, model: 0.0, "corpus", ends=lambda human, model, level: (1.0, 0.0))
    with pytest.raises(HarnessError, match="an interval from 1 to 0"):
        turned.own_interval(human, human, 0.95)


def test_metrics_of_an_order_need_one(registry):
    measures = default_measures(registry, ["wasserstein"])
    assert "wasserstein" not in applicable(measures, False)
    assert "wasserstein" in applicable(measures, True)
