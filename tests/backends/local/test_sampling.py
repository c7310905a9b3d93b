import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import chisquare

from judgeharness.backends.local.sampling import Drawer
from judgeharness.domain.nouns import Decoding

LOGITS = np.array([2.0, 0.5, -1.0, 0.0], dtype=np.float32)


def draws(temperature, count, seed=0, index=0, logits=LOGITS):
    drawer = Drawer(Decoding(1, temperature, seed), index)
    return [drawer.draw(logits) for _ in range(count)]


def test_nothing_is_drawn_at_temperature_zero():
    assert set(draws(0.0, 20)) == {0}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_tokens_are_drawn_as_often_as_they_are_probable(temperature):
    found = np.bincount(draws(temperature, 20_000), minlength=4)
    assert chisquare(found, softmax(LOGITS.astype(float) / temperature) * 20_000).pvalue > 1e-4


def test_the_stream_belongs_to_seed_and_place():
    assert draws(1.0, 50) == draws(1.0, 50)
    assert draws(1.0, 50) != draws(1.0, 50, seed=1)
    assert draws(1.0, 50) != draws(1.0, 50, index=1)


def test_logits_that_are_nearly_the_same_give_nearly_the_same_tokens():
    rng = np.random.default_rng(0)
    logits = rng.normal(size=1000).astype(np.float32)
    near = logits + rng.normal(scale=1e-4, size=1000).astype(np.float32)
    one, other = draws(1.0, 500, logits=logits), draws(1.0, 500, logits=near)
    assert np.mean(np.array(one) == np.array(other)) > 0.95


def test_what_is_impossible_is_never_drawn():
    logits = np.array([-np.inf, 0.0, -np.inf], dtype=np.float32)
    assert set(draws(1.0, 100, logits=logits)) == {1}
