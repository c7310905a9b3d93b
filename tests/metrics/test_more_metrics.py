"""Each measure against an independent computation: scipy, scikit-learn, or brute force by definition."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
from hypothesis import given
from scipy.spatial.distance import jensenshannon

from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.distances import cross_entropy, hellinger, wasserstein
from judgeharness.metrics.entropy import entropy_calibration, entropy_correlation, entropy_error
from judgeharness.metrics.jsd import js_divergence
from judgeharness.metrics.kl import FLOOR, kl, kl_reverse, kl_smoothed, kl_torch_mean, unexpected
from judgeharness.metrics.majority import BINS, accuracy, expected_calibration_error, macro_f1, weighted_f1
from judgeharness.metrics.ranking import rank_consistency
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


@given(pairs())
def test_ranks_by_sorting(pair):
    human, model = pair

    def order(row):
        return sorted(range(len(row)), key=lambda label: (-row[label], label))

    expected = [float(order(h) == order(m)) for h, m in zip(human, model, strict=True)]
    assert rank_consistency(human, model).tolist() == expected


@given(pairs())
def test_majority_measures_are_scikit_learns(pair):
    human, model = pair
    true = [max(range(len(row)), key=lambda label: (row[label], -label)) for row in human.tolist()]
    said = [max(range(len(row)), key=lambda label: (row[label], -label)) for row in model.tolist()]
    assert accuracy(human, model).mean() == pytest.approx(sklearn.metrics.accuracy_score(true, said), abs=CLOSE)
    expected = sklearn.metrics.f1_score(true, said, average="weighted", zero_division=0)
    assert weighted_f1(human, model) == pytest.approx(expected, abs=CLOSE)
    expected = sklearn.metrics.f1_score(true, said, average="macro", zero_division=0)
    assert macro_f1(human, model) == pytest.approx(expected, abs=CLOSE)


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
        values = measure.values(human, model)
        values = values[np.isfinite(values)]
        assert low is None or (values >= low - CLOSE).all(), name
        assert high is None or (values <= high + 1e-4).all(), name
