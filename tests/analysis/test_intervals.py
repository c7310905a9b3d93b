import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings

from judgeharness.analysis.intervals import Estimate, Interval, averaged, estimate, interval, intervals
from judgeharness.domain.errors import HarnessError
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.plugins.registry import Registry
from judgeharness.plugins.specs import MetricSpec
from tests.metrics.test_metrics import pairs


@pytest.fixture(scope="module")
def measures():
    registry = Registry.from_environment()
    return default_measures(registry, registry.metrics.names())


def sample(items=60, seed=0, labels=3, clusters=None):
    random = np.random.default_rng(seed)
    human = random.dirichlet(np.ones(labels), items)
    model = 0.5 * human + 0.5 * random.dirichlet(np.ones(labels), items)
    return Sample(human, model, np.round(100 * human), clusters)


def spec(**more):
    about = {"name": "m", "summary": "s", "target": "a:b", "label": "m", "direction": "lower", "unit": "none"}
    return MetricSpec(**{**about, "range": (0, None), "level": "corpus", "source": "s", **more})


@settings(max_examples=30, deadline=None)
@given(pairs())
def test_influences_are_those_of_the_items_left_out(pair):
    """By the definition of the jackknife: the metric on all other items, each time."""
    registry = Registry.from_environment()
    found = Sample(*pair, np.round(100 * pair[0]) + 1)
    n = len(found)
    for name, measure in default_measures(registry, ["weighted-f1", "macro-f1", "ece", "brier"]).items():
        if n < 2 or measure.squared is not None:
            continue
        whole = estimate(measure, found)
        without = [measure.value(found.at(np.delete(np.arange(n), place))) for place in range(n)]
        expected = -(n - 1) / n * (np.array(without) - np.mean(without))
        assert whole.influences == pytest.approx(expected, abs=1e-9), name
        assert whole.value == pytest.approx(measure.value(found))
        assert whole.influences.sum() == pytest.approx(0, abs=1e-9)


def test_the_error_of_a_mean_is_the_one_of_textbooks(measures):
    found = sample(300)
    values = measures["tvd"].values(found)
    assert estimate(measures["tvd"], found).error == pytest.approx(scipy.stats.sem(values))


def test_intervals_hold_the_value_and_shrink_with_more_items(measures):
    narrow, wide = (intervals(measures, sample(items)) for items in (400, 120))
    for name, measure in measures.items():
        value = measure.value(sample(400))
        if name == "ece":
            assert narrow[name] is None
            continue
        assert narrow[name].low <= value <= narrow[name].high or name == "dcor", name
        assert narrow[name].high - narrow[name].low < wide[name].high - wide[name].low, name


def test_a_skewed_mean_has_the_interval_of_hall():
    """The transformed studentised mean at both ends is the quantile of Student's t (Hall 1992, equation 2.2)."""
    values = np.random.default_rng(0).exponential(size=40)
    found = Estimate(values.mean(), (values - values.mean()) / 40)
    got = interval(spec(level="item"), found, 40)
    skew = scipy.stats.skew(values, bias=False) * (39 / 40) ** 0  # the sample skewness of G1's numerator
    g = 40 / (39 * 38) * (((values - values.mean()) / values.std(ddof=1)) ** 3).sum()
    assert g == pytest.approx(skew, rel=1e-9)
    for end, sign in ((got.low, 1), (got.high, -1)):
        t = (values.mean() - end) / scipy.stats.sem(values)
        a = g / math.sqrt(40)
        transformed = t + a * t**2 / 3 + a**2 * t**3 / 27 + a / 6
        assert transformed == pytest.approx(sign * scipy.stats.t.ppf(0.975, 39), rel=1e-9)
    symmetric = Estimate(0.0, np.linspace(-1, 1, 41) / 41)
    ends = interval(spec(level="item", range=(None, None)), symmetric, 41)
    assert (ends.low, ends.high) == pytest.approx(scipy.stats.t.interval(0.95, 40, 0.0, symmetric.error))


def test_shares_have_the_interval_of_wilson(measures):
    human = np.eye(2)[[0] * 10]
    every = intervals(measures, Sample(human, human))["accuracy"]
    assert (every.low, every.high) == pytest.approx((0.722, 1.0), abs=1e-3)
    model = np.eye(2)[[0] * 40 + [1] * 10]
    some = intervals(measures, Sample(np.eye(2)[[0] * 50], model))["accuracy"]
    expected = scipy.stats.binomtest(40, 50).proportion_ci(method="wilson")
    assert (some.low, some.high) == pytest.approx((expected.low, expected.high), abs=0.002)


def test_a_bounded_metric_at_its_end_is_not_sure(measures):
    human = np.eye(3)[[0, 1, 2] * 4]
    found = intervals(measures, Sample(human, human))["weighted-f1"]
    assert found.low < 0.8
    assert found.high == pytest.approx(1.0)


def test_items_of_a_cluster_count_as_one(measures):
    """Each item three times, in one cluster: the interval of the items once. As single items they would be narrower."""
    one = sample(100)
    rows = np.tile(np.arange(100), 3)
    together = Sample(one.human[rows], one.model[rows], one.votes[rows], rows)
    for name in ("jsd", "tvd", "weighted-f1", "entropy-correlation"):
        once, thrice = (intervals(measures, each)[name] for each in (one, together))
        assert (thrice.low, thrice.high) == pytest.approx((once.low, once.high), rel=0.02), name
    apart = intervals(measures, Sample(together.human, together.model))["jsd"]
    assert apart.high - apart.low < 0.7 * (once.high - once.low)


def test_clusters_that_are_not_among_the_items_do_not_count(measures):
    whole = sample(120, clusters=np.arange(120) // 2)
    part = whole.at(np.arange(60, 120))
    alone = Sample(part.human, part.model, part.votes, np.arange(60) // 2)
    for name in ("jsd", "weighted-f1", "dcor"):
        assert intervals(measures, part)[name] == intervals(measures, alone)[name]
    assert len(estimate(measures["jsd"], part).influences) == 30


def test_few_items_and_heavy_tails_have_no_interval(measures):
    assert set(intervals(measures, sample(1)).values()) == {None}
    assert set(intervals(measures, sample(9)).values()) == {None}
    clustered = sample(90, clusters=np.arange(90) // 10)
    assert set(intervals(measures, clustered).values()) == {None}
    found = intervals(measures, sample(99))
    assert found["kl"] is None
    assert found["jsd"] is not None
    assert intervals(measures, sample(100))["kl"] is not None


def test_a_constant_judge(measures):
    human = np.random.default_rng(0).dirichlet([1, 1, 1], 120)
    found = intervals(measures, Sample(human, np.full((120, 3), 1 / 3)))
    assert found["entropy-correlation"] is None
    assert (found["dcor"].low, found["dcor"].high) == (0.0, 0.0)


def test_a_metric_that_does_not_take_many_samples_is_asked_one_by_one():
    one = Measure(spec(), lambda h, m: float(np.abs(h - m).max()))
    found = sample(20)
    assert estimate(one, found).influences.shape == (20,)
    assert intervals({"m": one}, found)["m"].low <= np.abs(found.human - found.model).max()


def test_a_metric_that_fails_is_noted_or_raises():
    one = Measure(spec(), lambda h, m: "x")
    with pytest.raises(HarnessError, match="gives nothing usable"):
        intervals({"m": one}, sample(20))
    faults = {}
    assert intervals({"m": one}, sample(20), faults=faults) == {"m": None}
    assert "gives nothing usable" in faults["m"]


def test_thousands_of_items_are_left_out_in_groups(measures):
    found = estimate(measures["macro-f1"], sample(2_500))
    assert found.influences.shape == (1_000,)
    assert found.error == pytest.approx(0.009, abs=0.002)


def test_estimates_of_several_seeds_are_averaged(measures):
    one, other = (estimate(measures["tvd"], sample(50, seed)) for seed in (0, 1))
    both = averaged([one, other])
    assert both.value == pytest.approx((one.value + other.value) / 2)
    assert both.error < max(one.error, other.error)


def test_a_value_far_from_the_middle_is_not_shown_as_the_middle():
    assert Interval(0.0, 1.0).surrounds(0.55)
    assert not Interval(0.0, 1.0).surrounds(0.8)
    assert not Interval(0.0, 0.047).surrounds(0.097)


@pytest.mark.parametrize(("items", "votes"), [(30, 3), (100, 20), (341, 100)])
def test_intervals_hold_the_truth_as_often_as_they_say(measures, items, votes):
    """The cheap core of benchmarks/statistics.py: made-up people and judges whose true values are known."""
    random = np.random.default_rng(5)

    def made(n):
        hidden = random.dirichlet([0.8, 0.8, 0.8], n)
        scores = 0.6 * np.log(hidden + 0.02) + random.normal(0, 0.8, (n, 3))
        counts = random.multinomial(votes, hidden).astype(float)
        return Sample(counts / votes, np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True), counts)

    names = ("jsd", "brier", "accuracy", "weighted-f1", "rankcs")
    chosen = {name: measures[name] for name in names}
    population = made(200_000)
    truth = {name: each.value(population) for name, each in chosen.items()}
    held = dict.fromkeys(names, 0)
    for _ in range(300):
        for name, found in intervals(chosen, made(items)).items():
            held[name] += found.low <= truth[name] <= found.high
    # 300 draws at 95 % fall below 91 % less than once in a thousand.
    assert min(held.values()) >= 0.91 * 300, held
