"""Each measure against an independent computation: scipy, scikit-learn, or brute force by definition."""

import itertools
import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon

from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.debiased import brier_debiased, kl_debiased
from judgeharness.metrics.distances import brier, cross_entropy, hellinger, wasserstein
from judgeharness.metrics.entropy import entropy_calibration, entropy_correlation, entropy_error
from judgeharness.metrics.jsd import js_divergence, jsd
from judgeharness.metrics.kl import FLOOR, kl, kl_reverse, kl_smoothed, kl_torch_mean, unexpected
from judgeharness.metrics.majority import (
    BINS,
    accuracy,
    expected_calibration_error,
    macro_f1,
    rms_calibration_error,
    squared_calibration_error,
    weighted_f1,
)
from judgeharness.metrics.measure import Sample
from judgeharness.metrics.ranking import rank_consistency, spearman, tops
from judgeharness.metrics.skill import brier_skill, jsd_skill, kl_skill, tvd_skill
from judgeharness.metrics.tvd import soft_accuracy, soft_micro_f1, tvd
from tests.metrics.test_metrics import CLOSE, pairs


@given(pairs())
def test_kl_in_both_directions_and_smoothed(pair):
    human, model = pair
    np.testing.assert_allclose(kl_reverse(human, model), kl(model, human), atol=CLOSE)
    np.testing.assert_allclose(kl_torch_mean(human, model).mean(), kl(human, model).sum() / human.size, atol=CLOSE)
    k = human.shape[1]
    expected = [scipy.stats.entropy(h, 0.99 * m + 0.01 / k) for h, m in zip(human, model, strict=True)]
    np.testing.assert_allclose(kl_smoothed(human, model), expected, atol=CLOSE)
    assert (kl_smoothed(human, model) <= math.log(100 * k) + CLOSE).all()


@given(pairs())
def test_js_divergence_is_scipys_in_bits(pair):
    human, model = pair
    with np.errstate(invalid="ignore"):
        expected = np.nan_to_num(jensenshannon(human, model, base=2, axis=1)) ** 2
    np.testing.assert_allclose(js_divergence(human, model), expected, atol=CLOSE)


@given(pairs())
def test_cross_entropy_is_entropy_plus_divergence(pair):
    human, model = pair
    floored = np.maximum(model, FLOOR)
    expected = [
        scipy.stats.entropy(h) + sum(x * math.log(x / y) for x, y in zip(h, m, strict=True) if x > 0)
        for h, m in zip(human, floored, strict=True)
    ]
    np.testing.assert_allclose(cross_entropy(human, model), expected, atol=1e-8)


@given(pairs())
def test_hellinger_by_bhattacharyya(pair):
    human, model = pair
    expected = [
        max(0.0, 1 - sum(math.sqrt(x * y) for x, y in zip(h, m, strict=True)))
        for h, m in zip(human, model, strict=True)
    ]
    np.testing.assert_allclose(hellinger(human, model) ** 2, expected, atol=CLOSE)


@given(pairs())
def test_wasserstein_is_scipys_over_the_places_of_labels(pair):
    human, model = pair
    places = np.arange(human.shape[1])
    expected = [scipy.stats.wasserstein_distance(places, places, h, m) for h, m in zip(human, model, strict=True)]
    np.testing.assert_allclose(wasserstein(human, model), expected, atol=CLOSE)


@given(pairs())
def test_overlap_is_what_tvd_leaves(pair):
    human, model = pair
    np.testing.assert_allclose(soft_accuracy(human, model), 1 - tvd(human, model), atol=CLOSE)
    hits = sum(min(h, m) for h, m in zip(human.ravel(), model.ravel(), strict=True))
    extra, missed = model.sum() - hits, human.sum() - hits
    assert soft_micro_f1(human, model) == pytest.approx(2 * hits / (2 * hits + extra + missed), abs=CLOSE)


@given(pairs())
def test_entropies_are_scipys(pair):
    human, model = pair
    gaps = scipy.stats.entropy(model, axis=1) - scipy.stats.entropy(human, axis=1)
    np.testing.assert_allclose(entropy_calibration(human, model), gaps, atol=CLOSE)
    np.testing.assert_allclose(entropy_error(human, model), np.abs(gaps), atol=CLOSE)


@given(pairs())
def test_entropy_correlation_is_scipys_pearson(pair):
    human, model = pair
    x, y = scipy.stats.entropy(human, axis=1), scipy.stats.entropy(model, axis=1)
    found = entropy_correlation(human, model)
    if min(np.ptp(x), np.ptp(y)) < 1e-3:
        assert math.isnan(found) or -1 <= found <= 1
    else:
        assert found == pytest.approx(scipy.stats.pearsonr(x, y).statistic, abs=CLOSE)


def _orders(row):
    """All orders of the labels in which the more probable ones come first."""
    return {
        order
        for order in itertools.permutations(range(len(row)))
        if all(row[one] >= row[other] for one, other in itertools.pairwise(order))
    }


@given(pairs())
def test_ranks_by_all_orders_of_ties(pair):
    """The share of pairs of orders that are the same, with every order of tied labels counted."""
    human, model = pair
    for h, m, found in zip(human.tolist(), model.tolist(), rank_consistency(human, model), strict=True):
        ours, theirs = _orders(h), _orders(m)
        assert found == pytest.approx(len(ours & theirs) / len(ours) / len(theirs))


def test_a_uniform_judge_ranks_as_people_do_by_chance():
    human = np.random.default_rng(0).dirichlet([1, 1, 1], 50)
    assert rank_consistency(human, np.full((50, 3), 1 / 3)) == pytest.approx(np.full(50, 1 / 6))


@given(pairs())
def test_spearman_is_scipys(pair):
    human, model = pair
    for h, m, found in zip(human, model, spearman(human, model), strict=True):
        if np.ptp(h) == 0 or np.ptp(m) == 0:
            assert found == 0
        else:
            assert found == pytest.approx(scipy.stats.spearmanr(h, m).statistic)


@given(pairs(), st.randoms())
def test_the_order_of_labels_changes_nothing(pair, random):
    human, model = pair
    order = list(range(human.shape[1]))
    random.shuffle(order)
    for metric in (accuracy, rank_consistency, spearman, weighted_f1, macro_f1, expected_calibration_error):
        moved = metric(human[:, order], model[:, order])
        np.testing.assert_allclose(moved, metric(human, model), atol=CLOSE)


@given(pairs())
def test_brier_by_definition(pair):
    human, model = pair
    expected = [sum((x - y) ** 2 for x, y in zip(h, m, strict=True)) for h, m in zip(human, model, strict=True)]
    np.testing.assert_allclose(brier(human, model), expected, atol=CLOSE)


@given(pairs())
def test_majority_measures_are_scikit_learns(pair):
    """Where nothing is tied: of ties, scikit-learn knows nothing."""
    human, model = pair
    clear = ((tops(human) == 1).any(axis=1)) & ((tops(model) == 1).any(axis=1))
    human, model = human[clear], model[clear]
    if not len(human):
        return
    true, said = human.argmax(axis=1), model.argmax(axis=1)
    assert accuracy(human, model).mean() == pytest.approx(sklearn.metrics.accuracy_score(true, said), abs=CLOSE)
    expected = sklearn.metrics.f1_score(true, said, average="weighted", zero_division=0)
    assert weighted_f1(human, model) == pytest.approx(expected, abs=CLOSE)
    expected = sklearn.metrics.f1_score(true, said, average="macro", zero_division=0)
    assert macro_f1(human, model) == pytest.approx(expected, abs=CLOSE)


@given(pairs())
def test_a_tie_is_a_hit_by_chance(pair):
    human, model = pair
    for h, m, found in zip(human, model, accuracy(human, model), strict=True):
        first, said = (np.flatnonzero(row == row.max()) for row in (h, m))
        hits = sum(one == other for one in first for other in said)
        assert found == pytest.approx(hits / len(first) / len(said))


@pytest.mark.parametrize(("votes", "labels"), [(2, 3), (3, 3), (5, 2), (20, 5)])
def test_debiased_measures_are_those_of_the_distribution_behind_the_votes(votes, labels):
    random = np.random.default_rng(votes)
    hidden = random.dirichlet(np.linspace(0.5, 1.2, labels), 20_000)
    scores = np.log(hidden + 0.05) + random.normal(0, 0.7, hidden.shape)
    model = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    counts = random.multinomial(votes, hidden).astype(float)
    for biased, debiased in ((brier, brier_debiased), (kl, kl_debiased)):
        truth, error = biased(hidden, model).mean(), debiased(counts, model).std() / math.sqrt(20_000)
        assert debiased(counts, model).mean() == pytest.approx(truth, abs=4 * error), biased
        assert biased(counts / votes, model).mean() > truth + 4 * error


@given(pairs())
def test_skills_are_shares_of_the_uniform_ones_distance(pair):
    human, model = pair
    uniform = np.full(human.shape, 1 / human.shape[1])
    for distance, skill in ((kl, kl_skill), (jsd, jsd_skill), (tvd, tvd_skill), (brier, brier_skill)):
        reference = distance(human, uniform).mean()
        if reference < 1e-9:
            continue
        assert skill(human, model) == pytest.approx(1 - distance(human, model).mean() / reference, rel=1e-9)
        assert skill(human, uniform) == pytest.approx(0, abs=1e-9)
        assert skill(human, human) == pytest.approx(1)


def test_people_without_any_preference_leave_no_room_for_skill():
    uniform = np.full((5, 2), 0.5)
    assert np.isnan(jsd_skill(uniform, np.eye(2)[[0] * 5]))


def test_a_single_vote_cannot_be_corrected():
    one = np.eye(3)[[0, 1, 2]]
    assert np.isnan(brier_debiased(one, one)).all()
    assert np.isnan(kl_debiased(one, one)).all()


@given(pairs())
def test_calibration_error_bin_by_bin(pair):
    human, model = pair
    right, confidence = accuracy(human, model), model.max(axis=1)
    total = 0.0
    for number in range(BINS):
        low, high = number / BINS, (number + 1) / BINS
        inside = [
            i for i, c in enumerate(confidence)
            if min(BINS - 1, max(0, math.ceil(c * BINS) - 1)) == number and low - 1e-9 <= c <= high + 1e-9
        ]  # fmt: skip
        if inside:
            total += len(inside) / len(model) * abs(right[inside].mean() - confidence[inside].mean())
    assert expected_calibration_error(human, model) == pytest.approx(total, abs=CLOSE)


def test_calibration_error_of_a_known_case():
    """Sure at .9 and right half of the time: .4 off."""
    human = np.array([[1.0, 0.0], [0.0, 1.0]] * 5)
    model = np.array([[0.9, 0.1]] * 10)
    assert expected_calibration_error(human, model) == pytest.approx(0.4)


@given(pairs())
def test_squared_calibration_error_bin_by_bin(pair):
    human, model = pair
    gaps, bins = accuracy(human, model) - model.max(axis=1), np.ceil(model.max(axis=1) * BINS).clip(1, BINS)

    def by_definition(chosen):
        total = 0.0
        for number in set(bins[chosen]):
            inside = gaps[chosen][bins[chosen] == number]
            if len(inside) > 1:
                total += len(inside) / chosen.sum() * (inside.mean() ** 2 - inside.var(ddof=1) / len(inside))
        return total

    whole = np.ones(len(gaps), dtype=bool)
    found = squared_calibration_error(human, model)
    assert found[0] == pytest.approx(by_definition(whole), abs=CLOSE)
    for place in range(len(gaps) if len(gaps) > 1 else 0):
        chosen = np.arange(len(gaps)) != place
        assert found[1 + place] == pytest.approx(by_definition(chosen), abs=CLOSE)
    assert rms_calibration_error(human, model) == pytest.approx(math.sqrt(max(0.0, found[0])))


def test_a_calibrated_judge_has_ece_but_no_squared_error_on_average():
    random = np.random.default_rng(0)
    biased, unbiased = [], []
    for _ in range(300):
        confidence = random.uniform(0.5, 1, 341)
        human = np.where((random.random(341) < confidence)[:, None], [1.0, 0.0], [0.0, 1.0])
        model = np.column_stack([confidence, 1 - confidence])
        biased.append(expected_calibration_error(human, model))
        unbiased.append(squared_calibration_error(human, model)[0])
    assert np.mean(biased) > 0.03
    assert abs(np.mean(unbiased)) < 3 * np.std(unbiased) / math.sqrt(300)


def test_items_on_which_kl_blows_up_are_counted():
    human = np.array([[0.5, 0.5], [1.0, 0.0], [0.2, 0.8]])
    model = np.array([[1.0, 0.0], [1.0, 0.0], [0.3, 0.7]])
    assert unexpected(human, model) == 1


@given(pairs())
def test_every_metric_keeps_its_range_and_shape(pair):
    from judgeharness.plugins.registry import Registry

    human, model = pair
    registry = Registry.from_environment()
    for name, measure in default_measures(registry, registry.metrics.names()).items():
        low, high = measure.spec.range
        values = np.atleast_1d(measure.values(Sample(human, model, np.round(100 * human) + 1)))
        values = values[np.isfinite(values)]
        assert low is None or (values >= low - CLOSE).all(), name
        assert high is None or (values <= high + 1e-4).all(), name
