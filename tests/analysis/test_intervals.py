import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from judgeharness.analysis.intervals import draw, intervals, ranks, resamples
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.registry import Registry
from judgeharness.plugins.specs import MetricSpec
from tests.metrics.test_metrics import pairs


@pytest.fixture(scope="module")
def measures():
    registry = Registry.from_environment()
    return default_measures(registry, registry.metrics.names())


def sample(items=60, seed=0):
    random = np.random.default_rng(seed)
    human = random.dirichlet([1, 1, 1], items)
    return human, 0.5 * human + 0.5 * random.dirichlet([1, 1, 1], items)


def test_resamples_draw_as_many_items_as_there_are_and_the_same_for_a_seed():
    drawn = np.concatenate(list(resamples(7, 1200, 3)))
    assert drawn.shape == (1200, 7)
    assert (drawn.sum(axis=1) == 7).all()
    np.testing.assert_array_equal(drawn, np.concatenate(list(resamples(7, 1200, 3))))
    assert (drawn != np.concatenate(list(resamples(7, 1200, 4)))).any()
    assert drawn.mean() == pytest.approx(1.0)
    assert drawn.var() == pytest.approx(6 / 7, abs=0.05)


@settings(max_examples=30, deadline=None)
@given(pairs(), st.integers(0, 5))
def test_every_measure_of_a_resample_is_that_of_the_repeated_items(pair, seed):
    """What is vectorised equals the metric itself on arrays in which items stand as often as they were drawn."""
    human, model = pair
    registry = Registry.from_environment()
    for name, measure in default_measures(registry, registry.metrics.names()).items():
        drawn = draw({name: measure}, human, model, samples=4, seed=seed)[name]
        counts = np.concatenate(list(resamples(len(human), 4, seed)))
        for value, row in zip(drawn, counts, strict=True):
            places = np.repeat(np.arange(len(human)), row.astype(int))
            expected = float(np.mean(measure.values(human[places], model[places])))
            tolerance = 1e-5 if name == "dcor" else 1e-6 if name == "entropy-correlation" else 1e-9
            if np.isfinite(expected) and np.isfinite(value):
                assert value == pytest.approx(expected, abs=tolerance), name
            elif name != "entropy-correlation":
                assert np.isnan(value) == np.isnan(expected)


def test_intervals_hold_the_value_and_shrink_with_more_items(measures):
    narrow, wide = (intervals(measures, *sample(items), samples=500) for items in (400, 25))
    human, model = sample(400)
    for name, measure in measures.items():
        value = measure.value(human, model)
        assert narrow[name].low <= value <= narrow[name].high, name
        assert narrow[name].high - narrow[name].low < wide[name].high - wide[name].low, name


def test_an_interval_of_a_mean_is_that_of_the_normal_distribution():
    human, model = sample(300)
    registry = Registry.from_environment()
    measure = default_measures(registry)["tvd"]
    values = measure.values(human, model)
    error = values.std() / np.sqrt(len(values))
    found = intervals({"tvd": measure}, human, model, samples=20_000)["tvd"]
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_degenerate_samples(measures):
    human, model = sample(1)
    assert set(intervals(measures, human, model).values()) == {None}
    human = np.full((10, 3), 1 / 3)
    found = intervals(measures, human, human, samples=100)
    assert found["entropy-correlation"] is None
    assert (found["jsd"].low, found["jsd"].high) == (0.0, 0.0)
    assert (found["accuracy"].low, found["accuracy"].high) == (1.0, 1.0)


def test_a_metric_that_does_not_take_many_samples_is_asked_one_by_one():
    spec = MetricSpec(
        name="m", summary="s", target="a:b", label="m", direction="lower", unit="none", range=(0, None), level="corpus",
        source="s",
    )  # fmt: skip
    human, model = sample(20)
    one = Measure(spec, lambda h, m: float(np.abs(h - m).max()))
    assert draw({"m": one}, human, model, 5)["m"].shape == (5,)
    assert intervals({"m": one}, human, model, 50)["m"].low <= np.abs(human - model).max()


def test_places_are_shared_within_noise():
    registry = Registry.from_environment()
    measures = default_measures(registry)
    human, good = sample(200, seed=1)
    random = np.random.default_rng(2)
    judges = {
        "good": good,
        "as good": 0.5 * human + 0.5 * random.dirichlet([1, 1, 1], 200),
        "bad": random.dirichlet([1, 1, 1], 200),
        "as bad": random.dirichlet([1, 1, 1], 200),
    }
    judges = {name: rows / rows.sum(axis=1, keepdims=True) for name, rows in judges.items()}
    for name in ("tvd", "dcor"):
        drawn = {judge: draw(measures, human, rows, 500)[name] for judge, rows in judges.items()}
        found = ranks(drawn, measures[name].spec)
        assert found["good"] == found["as good"] == 1
        assert found["bad"] == found["as bad"] == 3
    assert ranks({"only": np.zeros(5)}, measures["tvd"].spec) == {"only": 1}
