import dcor as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from judgeharness.metrics.dcor import dcor
from judgeharness.metrics.jsd import jsd
from judgeharness.metrics.kl import FLOOR, kl
from judgeharness.metrics.tvd import tvd

CLOSE = 1e-9


def _normalised(raw):
    raw = np.where(raw.sum(axis=1, keepdims=True) == 0, 1.0, raw)
    return raw / raw.sum(axis=1, keepdims=True)


@st.composite
def pairs(draw):
    """Two samples of distributions, with zeros, ties, single items and constant rows among them."""
    shape = (draw(st.integers(1, 12)), draw(st.integers(2, 5)))
    entries = st.one_of(st.sampled_from([0.0, 0.0, 1.0, 0.5]), st.floats(0.001, 1))
    left, right = (_normalised(draw(arrays(float, shape, elements=entries))) for _ in range(2))
    if draw(st.booleans()):
        right = np.repeat(right[:1], len(right), axis=0)
    return left, right


@given(pairs())
def test_kl_is_scipys_entropy_of_clipped_distributions(pair):
    human, model = pair
    h, m = np.clip(human, FLOOR, 1), np.clip(model, FLOOR, 1)
    expected = [entropy(row, other) for row, other in zip(h, m, strict=True)]
    np.testing.assert_allclose(kl(human, model), expected, atol=CLOSE)


@given(pairs())
def test_jsd_is_scipys_jensenshannon(pair):
    human, model = pair
    with np.errstate(invalid="ignore"):  # scipy takes the root of -1e-17 where the two are equal
        expected = np.nan_to_num(jensenshannon(human, model, axis=1))
    np.testing.assert_allclose(jsd(human, model) ** 2, expected**2, atol=1e-12)
    assert (jsd(human, model) <= np.sqrt(np.log(2)) + CLOSE).all()


@given(pairs())
def test_tvd_is_the_largest_difference_over_events(pair):
    human, model = pair
    k = human.shape[1]
    events = [[(subset >> j) & 1 for j in range(k)] for subset in range(2**k)]
    expected = np.max([abs((human - model) @ np.array(event)) for event in events], axis=0)
    np.testing.assert_allclose(tvd(human, model), expected, atol=CLOSE)


@given(pairs())
def test_dcor_is_the_package_dcor(pair):
    human, model = pair
    expected = float(reference.distance_correlation(human, model))
    if np.allclose(human, human[0]) or np.allclose(model, model[0]):
        expected = 0.0
    assert dcor(human, model) == pytest.approx(expected, abs=1e-7)


def test_dcor_agrees_to_nine_digits_on_a_large_sample():
    random = np.random.default_rng(0)
    human, model = random.dirichlet([1, 2, 1], 300), random.dirichlet([1, 1, 1], 300)
    model = (human + model) / 2
    assert dcor(human, model) == pytest.approx(float(reference.distance_correlation(human, model)), abs=1e-9)


def test_identical_distributions_are_at_no_distance():
    p = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    assert kl(p, p) == pytest.approx([0, 0], abs=1e-12)
    assert jsd(p, p) == pytest.approx([0, 0], abs=1e-12)
    assert tvd(p, p) == pytest.approx([0, 0])
    assert dcor(p, p) == pytest.approx(1)


def test_disjoint_distributions_are_as_far_as_can_be():
    h, m = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    assert jsd(h, m) == pytest.approx([np.sqrt(np.log(2))])
    assert tvd(h, m) == pytest.approx([1.0])
    assert kl(h, m) == pytest.approx([-np.log(FLOOR)], rel=1e-6)


def test_a_constant_prediction_has_no_distance_correlation():
    human = np.random.default_rng(1).dirichlet([1, 1, 1], 20)
    constant = np.full((20, 3), 1 / 3) + np.random.default_rng(2).normal(0, 1e-17, (20, 3))
    assert dcor(human, constant) == 0.0
    assert dcor(constant, human) == 0.0
