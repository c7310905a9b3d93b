import numpy as np
import pytest
import scipy.stats

from judgeharness.metrics.dirichlet import fitted


def drawn(parameters, items, votes, seed=0):
    random = np.random.default_rng(seed)
    hidden = random.dirichlet(parameters, items)
    return hidden, random.multinomial(votes, hidden).astype(float)


@pytest.mark.parametrize(("parameters", "votes"), [((0.9, 1.1, 0.5), 3), ((5.0, 2.0), 10), ((0.3, 0.3, 0.3, 0.3), 20)])
def test_the_parameters_that_votes_were_drawn_with_are_found(parameters, votes):
    _, counts = drawn(parameters, 4_000, votes)
    found = fitted(counts)
    errors = np.sqrt(np.diag(found.spread))
    assert (np.abs(np.log(found.parameters) - np.log(parameters)) < 4 * errors).all()
    assert (errors < 0.1).all()


def test_the_fit_is_the_most_likely_one_by_scipys_likelihood():
    _, counts = drawn((0.8, 0.5, 1.5), 200, 7)
    found = fitted(counts).parameters

    def likelihood(parameters):
        return scipy.stats.dirichlet_multinomial.logpmf(counts.astype(int), parameters, 7).sum()

    best = likelihood(found)
    for factor in (0.97, 1.03):
        for label in range(3):
            other = found.copy()
            other[label] *= factor
            assert likelihood(other) < best


def test_the_curvature_covers_the_truth_as_often_as_it_should():
    held = 0
    for seed in range(200):
        found = fitted(drawn((0.9, 0.6), 300, 5, seed)[1])
        held += abs(np.log(found.parameters[0] / 0.9)) < 1.96 * np.sqrt(found.spread[0, 0])
    assert 180 <= held <= 199


def test_draws_lie_around_the_truth():
    hidden, counts = drawn((0.9, 1.1, 0.5), 3_000, 50)
    random = np.random.default_rng(1)
    draws = np.mean([fitted(counts).drawn(counts, random) for _ in range(30)], axis=0)
    assert draws.sum(axis=1) == pytest.approx(np.ones(3_000))
    assert np.abs(draws - hidden).mean() < 0.06
    assert np.abs((draws - hidden).mean(axis=0)).max() < 0.004


def test_entropies_are_those_of_many_draws():
    _, counts = drawn((0.9, 1.1, 0.5), 5, 4)
    found = fitted(np.tile(counts, (40, 1)))
    shares = np.random.default_rng(0).dirichlet(found.parameters + counts[0], 200_000)
    assert found.entropies(counts)[0] == pytest.approx(scipy.stats.entropy(shares, axis=1).mean(), abs=0.003)


@pytest.mark.parametrize("votes", [2, 3, 10])
def test_the_parts_of_entropy_tell_how_sure_their_mean_is(votes):
    held, truth = 0, scipy.stats.entropy(drawn((0.9, 1.1, 0.5), 400_000, 1)[0], axis=1).mean()
    for seed in range(200):
        _, counts = drawn((0.9, 1.1, 0.5), 300, votes, seed)
        found = fitted(counts)
        parts = found.entropy_parts(counts)
        assert parts.mean() == pytest.approx(found.entropies(counts).mean(), abs=1e-4)
        held += abs(parts.mean() - truth) < 1.96 * scipy.stats.sem(parts)
    assert 181 <= held <= 199


def test_votes_that_say_nothing_or_all():
    assert fitted(np.empty((0, 3))) is None
    assert fitted(np.eye(3)) is None
    agreed = fitted(20 * np.eye(3)[[0, 1, 2] * 20])
    assert np.isfinite(agreed.drawn(20 * np.eye(3), np.random.default_rng(0))).all()
    alike = fitted(np.full((50, 2), 10.0))
    assert alike.drawn(np.full((4, 2), 10.0), np.random.default_rng(0)) == pytest.approx(np.full((4, 2), 0.5), abs=0.05)
