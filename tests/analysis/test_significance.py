import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.intervals import Estimate, estimate
from judgeharness.analysis.significance import changed_most, difference, holm, p_value, paired, ranks, student
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample
from judgeharness.plugins.registry import Registry


@pytest.fixture(scope="module")
def measures():
    return default_measures(Registry.from_environment(), ["weighted-f1", "accuracy", "entce", "kl-smoothed"])


def judges(items=80, seed=0, noise=(0.4, 0.4)):
    random = np.random.default_rng(seed)
    human = random.dirichlet([1, 1, 1], items)
    return tuple(Sample(human, (1 - share) * human + share * random.dirichlet([1, 1, 1], items)) for share in noise)


def of(values):
    values = np.asarray(values, dtype=float)
    return Estimate(float(values.mean()), (values - values.mean()) / len(values))


def test_p_of_symmetric_gaps_is_that_of_student():
    gaps = np.r_[np.linspace(-1, 1, 31), 0.4, -0.4] + 0.3
    assert p_value(of(gaps)) == pytest.approx(scipy.stats.ttest_1samp(gaps, 0).pvalue, abs=1e-9)
    assert student(of(gaps)) == pytest.approx(scipy.stats.ttest_1samp(gaps, 0).pvalue)


def test_p_agrees_with_scipys_permutation_test(measures):
    one, other = judges(items=60, noise=(0.4, 0.45))
    gaps = measures["jsd"].values(other) - measures["jsd"].values(one)
    expected = scipy.stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(0)
    ).pvalue
    assert difference(measures["jsd"], one, other).p == pytest.approx(expected, abs=0.04)


def test_a_real_difference_is_seen_and_none_is_not(measures):
    found = difference(measures["tvd"], *judges(noise=(0.2, 0.7)))
    assert found.p < 0.01
    assert found.difference == pytest.approx(found.second - found.first)
    assert 0 < found.interval.low < found.difference < found.interval.high
    assert 0 < found.detectable < found.difference
    one, _ = judges()
    same = difference(measures["dcor"], one, one)
    assert (same.difference, same.p) == (0.0, 1.0)


def test_the_detectable_difference_is_found_in_four_of_five_cases(measures):
    one, other = judges(items=200)
    found = difference(measures["tvd"], one, other)
    gaps = measures["tvd"].values(other) - measures["tvd"].values(one)
    random, seen = np.random.default_rng(0), 0
    for _ in range(1_000):
        drawn = random.choice(gaps - gaps.mean() + found.detectable, len(gaps))
        seen += p_value(of(drawn)) < 0.05
    assert seen / 1_000 == pytest.approx(0.8, abs=0.04)


def test_false_alarms_are_as_rare_as_promised(measures):
    alarms = sum(difference(measures["tvd"], *judges(items=40, seed=seed)).p < 0.05 for seed in range(300))
    assert alarms <= 27


def _of_people(random, items, strengths, noise=0.8):
    hidden = random.dirichlet([0.8, 0.8, 0.8], items)
    human = random.multinomial(100, hidden) / 100
    scores = [strength * np.log(hidden + 0.02) + random.normal(0, noise, hidden.shape) for strength in strengths]
    models = [np.exp(each) / np.exp(each).sum(axis=1, keepdims=True) for each in scores]
    return [Sample(human, model) for model in models]


def test_distance_correlations_far_apart(measures):
    """The interval holds its own estimate, and lies where the difference is: about .88 against .12."""
    one, other = _of_people(np.random.default_rng(0), 341, (2.0, 0.1))
    found = difference(measures["dcor"], one, other)
    assert found.first > 0.85
    assert found.second < 0.3
    assert found.interval.low < found.difference < found.interval.high
    assert 0.1 < found.interval.high - found.interval.low < 0.4
    assert found.interval.low < -0.76 < found.interval.high
    assert found.p < 1e-6


def test_the_same_judge_on_another_scale(measures):
    """Norm and softmax of one judge, or two temperatures: other distributions, of which one is clearly better."""
    random, alike = np.random.default_rng(1), 0
    for _ in range(20):
        (sharp,) = _of_people(random, 341, (1.5,))
        flat = sharp.judged(sharp.model**0.1 / (sharp.model**0.1).sum(axis=1, keepdims=True))
        # F1 does not see scales, and JSD does.
        alike += difference(measures["weighted-f1"], sharp, flat).p == 1.0
        assert difference(measures["jsd"], sharp, flat).p < 0.05
    assert alike == 20


def test_a_difference_in_a_corpus_metric_between_scales_is_seen(measures):
    seen = 0
    for seed in range(20):
        sharp, worse = _of_people(np.random.default_rng(seed), 341, (1.5, 0.7))
        flat = worse.judged(worse.model**0.1 / (worse.model**0.1).sum(axis=1, keepdims=True))
        found = difference(measures["weighted-f1"], flat, sharp)
        seen += found.p < 0.05 and found.interval.low > 0
    assert seen >= 16


def test_metrics_that_are_best_at_zero_are_compared_by_distance(measures):
    """-.232 and +.231 are equally far from 0."""
    random = np.random.default_rng(0)
    human = random.dirichlet([2, 2, 2], 300)
    sharp = human**2.2 / (human**2.2).sum(axis=1, keepdims=True)
    flat = human**0.45 / (human**0.45).sum(axis=1, keepdims=True)
    found = difference(measures["entce"], Sample(human, sharp), Sample(human, flat))
    assert found.first < -0.1 < 0.1 < found.second
    assert found.difference == pytest.approx(abs(found.second) - abs(found.first))
    nearer = difference(measures["entce"], Sample(human, sharp), Sample(human, human))
    assert nearer.difference < 0
    assert nearer.p < 1e-6


def test_shares_at_the_edge(measures):
    """10 of 10 against 10 of 10 is no proof of equality, and 10 of 10 against 0 of 10 is one of difference."""
    human = np.eye(2)[[0] * 10]
    same = difference(measures["accuracy"], Sample(human, human), Sample(human, human))
    assert same.difference == 0
    assert same.interval.low < -0.2
    assert same.interval.high > 0.2
    found = difference(measures["accuracy"], Sample(human, human[:, ::-1]), Sample(human, human))
    assert found.p == pytest.approx(0.5**9)


def test_few_items_have_no_interval_and_no_p(measures):
    for items in (1, 2, 9):
        found = difference(measures["tvd"], *judges(items=items))
        assert found.difference is not None
        assert (found.interval, found.p, found.detectable) == (None, None, None)
    assert difference(measures["tvd"], *judges(items=10)).interval is not None


@given(st.lists(st.none() | st.floats(0, 1), max_size=8))
def test_holm_by_its_definition(values):
    corrected = holm(values)
    known = sorted(value for value in values if value is not None)
    for value, found in zip(values, corrected, strict=True):
        if value is None:
            assert found is None
            continue
        places = [place for place, other in enumerate(known) if other <= value]
        steps = [min(1.0, known[place] * (len(known) - place)) for place in places]
        assert found <= max(steps) + 1e-12
        assert found >= value
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_items_that_changed_most(measures):
    one, _ = judges(items=5)
    other = one.model.copy()
    other[3] = one.human[3]
    ((place, gap),) = changed_most(measures["jsd"], one, one.judged(other), 4)
    assert place == 3
    assert gap == pytest.approx(-measures["jsd"].values(one)[3])


def test_ranks_are_shared_where_nothing_tells_judges_apart(measures):
    random = np.random.default_rng(2)
    human = random.dirichlet([1, 1, 1], 200)
    noise = {"good": 0.5, "as good": 0.5, "bad": 1.0, "as bad": 1.0}
    found = {
        key: Sample(human, (1 - share) * human + share * random.dirichlet([1, 1, 1], 200))
        for key, share in noise.items()
    }
    for name in ("tvd", "dcor"):
        spec = measures[name].spec
        got = ranks(spec, {key: estimate(measures[name], each) for key, each in found.items()})
        assert got["good"] == got["as good"] == 1
        assert got["bad"] == got["as bad"] == 3
    assert ranks(spec, {}) == {}
    assert ranks(spec, {"only": estimate(measures["tvd"], found["good"])}) == {"only": 1}


def test_pairs_are_tested_one_by_one(measures):
    samples = judges(60, 0, (0.3, 0.5, 0.8))
    found = {str(place): estimate(measures["tvd"], each) for place, each in enumerate(samples, start=1)}
    got = ranks(measures["tvd"].spec, found)
    pairs = [("1", "2"), ("1", "3"), ("2", "3")]
    p = holm([student(paired(found[one], found[other])) for one, other in pairs])
    beaten = {key: sum(low < 0.05 for (_, worse), low in zip(pairs, p, strict=True) if worse == key) for key in found}
    assert got == {key: 1 + beaten[key] for key in found}


def test_ranks_never_fall_down_the_table(measures):
    """A judge whose wild differences tell it from no other still has no better rank than those above."""
    random = np.random.default_rng(0)
    values = {
        "best": random.normal(0.10, 0.01, 100),
        "second": random.normal(0.12, 0.01, 100),
        "wild": 0.13 + np.r_[np.full(2, 3.0), np.full(98, -0.06)],
    }
    found = ranks(measures["tvd"].spec, {key: of(each) for key, each in values.items()})
    assert found == {"best": 1, "second": 2, "wild": 2}


@pytest.mark.parametrize("count", [2, 10, 40])
def test_equal_judges_share_the_first_rank(measures, count):
    apart, random = 0, np.random.default_rng(count)
    for _ in range(200):
        shared = random.normal(0, 1, (1, 60))
        rows = np.exp(0.7 * shared + random.normal(0, 0.7, (count, 60)))
        found = ranks(measures["tvd"].spec, {str(key): of(row) for key, row in enumerate(rows)})
        apart += max(found.values()) > 1
    # 200 draws at 5 % exceed 20 less than once in a hundred.
    assert apart <= 20
