import dcor as reference
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from judgeharness.metrics import dcor as dcor_module
from judgeharness.metrics.dcor import dcor, dcor_squared
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


def dependent(items, strength, seed=0):
    random = np.random.default_rng(seed)
    human = random.dirichlet([1, 1, 1], items)
    return human, strength * human + (1 - strength) * random.dirichlet([1, 1, 1], items)


@pytest.mark.parametrize(("items", "strength"), [(6, 0.9), (40, 0.7), (60, 0.1)])
def test_the_square_of_dcor_is_the_packages_unbiased_one_with_all_items_and_without_each(items, strength):
    human, model = dependent(items, strength)
    expected = [
        reference.u_distance_correlation_sqr(human, model),
        *(
            reference.u_distance_correlation_sqr(np.delete(human, place, 0), np.delete(model, place, 0))
            for place in range(items)
        ),
    ]
    assert dcor_squared(human, model) == pytest.approx(np.array(expected, dtype=float), abs=1e-9)


@pytest.mark.parametrize("strength", [0.0, 0.2, 1.0])
def test_one_block_of_all_items_is_all_pairs(monkeypatch, strength):
    """The averages that large samples are estimated from make up the same number where nothing is left out."""
    human, model = dependent(150, strength)
    whole = dcor(human, model), dcor_squared(human, model)
    monkeypatch.setattr(dcor_module, "WHOLE", 100)
    assert dcor(human, model) == pytest.approx(whole[0], abs=1e-9)
    assert dcor_squared(human, model) == pytest.approx(whole[1], abs=1e-9)


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.5])
def test_blocks_stand_for_a_large_sample(strength):
    human, model = dependent(5000, strength)
    expected = float(reference.distance_correlation(human, model))
    assert dcor(human, model) == pytest.approx(expected, abs=0.012)
    unbiased = float(reference.u_distance_correlation_sqr(human, model))
    assert dcor_squared(human, model)[0] == pytest.approx(unbiased, abs=0.006)
    assert dcor(human, human) == pytest.approx(1)
    assert dcor(human, np.full_like(human, 1 / 3)) == 0.0


def test_the_order_of_many_items_does_not_matter():
    human, model = dependent(3000, 0.3)
    order = np.random.default_rng(1).permutation(3000)
    assert dcor(human[order], model[order]) == pytest.approx(dcor(human, model), abs=1e-12)
    squares, moved = dcor_squared(human, model), dcor_squared(human[order], model[order])
    assert moved[0] == pytest.approx(squares[0], abs=1e-12)
    assert moved[1:] == pytest.approx(squares[1:][order], abs=1e-12)


def test_the_square_of_dcor_of_degenerate_samples():
    human, model = dependent(20, 0.5)
    assert np.isnan(dcor_squared(human[:4], model[:4])).all()
    assert dcor_squared(human, np.full((20, 3), 1 / 3)) == pytest.approx(np.zeros(21))
    assert dcor_squared(human, human) == pytest.approx(np.ones(21))
    odd = np.full((20, 3), 1 / 3)
    odd[3] = [1, 0, 0]
    assert np.isnan(dcor_squared(human, odd)).any()
