import numpy as np
import pytest

from judgeharness.analysis.intervals import estimate
from judgeharness.analysis.people import noise_floor
from judgeharness.analysis.verdict import beats, flatness, verdict
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample
from judgeharness.plugins.registry import Registry


@pytest.fixture(scope="module")
def measures():
    return default_measures(Registry.from_environment())


def people(items=200, votes=100, seed=0):
    random = np.random.default_rng(seed)
    hidden = random.dirichlet([0.8, 0.8, 0.8], items)
    counts = random.multinomial(votes, hidden).astype(float)
    return Sample(counts / votes, hidden, counts), random


def judged(measures, name, sample, models):
    uniform = np.full(sample.human.shape, 1 / 3)
    floor = noise_floor(sample, measures, name)[name].estimate
    found = {key: estimate(measures[name], sample.judged(rows)) for key, rows in models.items()}
    nothing = {"uniform": estimate(measures[name], sample.judged(uniform))}
    return verdict(measures[name].spec, found, nothing, floor)


@pytest.mark.parametrize("name", ["jsd", "kl", "tvd", "dcor"])
@pytest.mark.parametrize("votes", [3, 20, 100])
def test_a_judge_that_is_the_truth_is_at_the_floor_and_others_are_not(measures, name, votes):
    sample, random = people(votes=votes)
    blurred = 0.6 * sample.model + 0.4 * random.dirichlet([1, 1, 1], 200)
    found = judged(measures, name, sample, {"truth": sample.model, "blurred": blurred})
    assert found.at_floor == ("truth",)
    assert found.better["uniform"][0] == "truth"
    assert found.ranks == {"truth": 1, "blurred": 2}


def test_the_truth_is_at_the_floor_in_nearly_all_cases(measures):
    away = 0
    for seed in range(100):
        sample, _ = people(items=100, votes=5, seed=seed)
        away += judged(measures, "jsd", sample, {"truth": sample.model}).at_floor == ()
    assert away <= 10


def test_noise_is_not_better_than_uniform(measures):
    sample, random = people()
    found = judged(measures, "jsd", sample, {"noise": random.dirichlet([50, 50, 50], 200)})
    assert found.better == {"uniform": ()}


def test_ten_items_are_needed(measures):
    sample, _ = people(items=9)
    assert judged(measures, "jsd", sample, {"truth": sample.model}) is None


def test_one_judge_beats_another(measures):
    sample, _ = people()
    one, other = (estimate(measures["jsd"], sample.judged(rows)) for rows in (sample.model, sample.model[::-1]))
    assert beats(measures["jsd"].spec, one, other)
    assert not beats(measures["jsd"].spec, other, one)
    assert not beats(measures["jsd"].spec, one, one)


def test_flatness_is_the_distance_from_uniform():
    assert flatness(np.full((4, 3), 1 / 3)) == pytest.approx(0)
    assert flatness(np.eye(2)) == pytest.approx(0.5)
