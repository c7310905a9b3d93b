import itertools

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.significance import changed_most, difference, holm, p_value
from judgeharness.evaluation.components import default_measures
from judgeharness.plugins.registry import Registry


@pytest.fixture(scope="module")
def measures():
    return default_measures(Registry.from_environment(), ["weighted-f1"])


def judges(items=80, seed=0, noise=(0.4, 0.4)):
    random = np.random.default_rng(seed)
    human = random.dirichlet([1, 1, 1], items)
    one, other = ((1 - share) * human + share * random.dirichlet([1, 1, 1], items) for share in noise)
    return human, one, other


def test_p_is_that_of_all_exchanges_by_brute_force(measures):
    human, one, other = judges(items=8, noise=(0.3, 0.6))
    for name in ("tvd", "dcor"):
        measure = measures[name]
        observed = abs(measure.value(human, other) - measure.value(human, one))
        extreme = 0
        for bits in itertools.product([False, True], repeat=8):
            swap = np.array(bits)[:, None]
            first, second = np.where(swap, other, one), np.where(swap, one, other)
            extreme += abs(measure.value(human, second) - measure.value(human, first)) >= observed - 1e-12
        spread = 4 * np.sqrt(0.25 / (2000 if name == "tvd" else 500))
        assert p_value(measure, human, one, other) == pytest.approx(extreme / 2**8, abs=spread)


def test_p_agrees_with_scipys_permutation_test(measures):
    human, one, other = judges(items=60, noise=(0.4, 0.45))
    gaps = measures["jsd"].values(human, other) - measures["jsd"].values(human, one)
    expected = scipy.stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", n_resamples=5000, rng=np.random.default_rng(0)
    ).pvalue
    assert p_value(measures["jsd"], human, one, other) == pytest.approx(expected, abs=0.04)


def test_a_real_difference_is_seen_and_none_is_not(measures):
    human, one, other = judges(noise=(0.2, 0.7))
    found = difference(measures["tvd"], human, one, other)
    assert found.p < 0.01
    assert found.difference == pytest.approx(found.second - found.first)
    assert 0 < found.interval.low < found.difference < found.interval.high
    same = difference(measures["dcor"], human, one, one)
    assert (same.difference, same.p) == (0.0, 1.0)
    assert (same.interval.low, same.interval.high) == (0.0, 0.0)


def test_false_alarms_are_as_rare_as_promised(measures):
    alarms = sum(p_value(measures["tvd"], *judges(items=40, seed=seed)) < 0.05 for seed in range(300))
    assert alarms <= 27


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
    human, one, _ = judges(items=5)
    other = one.copy()
    other[3] = human[3]
    ((place, gap),) = changed_most(measures["jsd"], human, one, other, 4)
    assert place == 3
    assert gap == pytest.approx(-measures["jsd"].values(human, one)[3])
