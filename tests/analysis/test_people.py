import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.people import (
    _without_replacement,
    against_half,
    annotators,
    answers_floor,
    noise_floor,
    shuffled,
    split_half,
)
from judgeharness.domain.nouns import Item, Prediction
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Sample, votes_of
from judgeharness.plugins.registry import Registry
from tests.helpers import bundled, judgeharness

VOTES = st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3).filter(lambda row: sum(row) > 1), min_size=1)


@pytest.fixture(scope="module")
def measures():
    return default_measures(Registry.from_environment())


def sample(votes):
    votes = np.asarray(votes, dtype=float)
    shares = votes / votes.sum(axis=1, keepdims=True)
    return Sample(shares, shares, votes)


def values(found, *names):
    return [found[name].value for name in names]


@given(VOTES, st.integers(0, 9))
def test_votes_are_dealt_without_one_lost(votes, seed):
    counts = np.array(votes, dtype=float)
    sizes = counts.sum(axis=1) // 2
    drawn = _without_replacement(counts, sizes, np.random.default_rng(seed))
    assert (drawn >= 0).all()
    assert (drawn <= counts).all()
    np.testing.assert_array_equal(drawn.sum(axis=1), sizes)


def test_items_without_countable_votes_have_none():
    def item(votes):
        return Item("u", {}, (0.5, 0.5), votes)

    assert votes_of([]) is None
    assert votes_of([item(None)]) is None
    assert votes_of([item((1.5, 0.5))]) is None
    assert votes_of([item((3.0, 1.0)), item((2.0, 2.0))]).tolist() == [[3, 1], [2, 2]]


def test_one_vote_an_item_has_no_floor_and_no_halves(measures):
    one = sample(np.eye(3)[[0, 1, 2, 0]])
    assert noise_floor(one, measures) == split_half(one, measures) == annotators(one, measures, 1) == {}
    without = Sample(one.human, one.model)
    assert noise_floor(without, measures) == answers_floor(without, measures, 5) == split_half(without, measures) == {}


def test_two_votes_an_item_have_a_floor(measures):
    found = noise_floor(sample([[2, 0], [1, 1], [0, 2], [2, 0]] * 10), measures)
    assert 0 < found["jsd"].value < 0.5


def test_the_split_half_of_the_paper_and_what_few_annotators_reach(folders, measures):
    """On the paper's 341 items. A half against a half; n people against the half that they are not in."""
    whole = sample(votes_of(bundled("chaosnli", folders).items))
    assert values(split_half(whole, measures), "kl", "jsd", "tvd", "dcor") == pytest.approx(
        [0.110, 0.090, 0.086, 0.955], abs=0.004
    )
    (five,) = values(annotators(whole, measures, 5), "jsd")
    (fifty,) = values(annotators(whole, measures, 50), "jsd")
    assert five == pytest.approx(0.212, abs=0.006)
    assert fifty == pytest.approx(0.090, abs=0.004)
    assert annotators(whole, measures, 51) == {}


def test_the_noise_floor_of_chaosnli(folders, measures):
    """With 100 votes, and from 3, 5 and 20 votes drawn from each item's, where the truth is known."""
    whole = sample(votes_of(bundled("chaosnli-mnli", folders).items))
    assert values(noise_floor(whole, measures), "jsd", "kl", "tvd") == pytest.approx([0.045, 0.010, 0.044], abs=0.003)
    random = np.random.default_rng(0)
    for votes, expected in ((3, 0.265), (5, 0.208), (20, 0.103)):
        few = sample(random.multinomial(votes, whole.human))
        found = noise_floor(few, measures)["jsd"]
        assert found.value == pytest.approx(expected, abs=0.012)
        assert found.value == pytest.approx(measures["jsd"].value(few.judged(whole.human)), abs=0.012)
        assert found.interval.low < found.value < found.interval.high


@pytest.mark.parametrize(("votes", "labels"), [(2, 2), (5, 3), (20, 5), (100, 3)])
def test_the_floor_is_what_the_truth_itself_gets(measures, votes, labels):
    random = np.random.default_rng(votes)
    hidden = random.dirichlet(np.linspace(0.4, 1.5, labels), 400)
    people = sample(random.multinomial(votes, hidden))
    truth = people.judged(hidden)
    found = noise_floor(people, measures)
    for name in ("kl", "jsd", "tvd"):
        half = found[name].value - found[name].interval.low
        assert found[name].value == pytest.approx(measures[name].value(truth), abs=1.5 * half), name


def test_a_judge_of_a_few_answers_has_a_floor_of_its_own(folders, measures):
    """Twenty answers given as people give them: JSD .102, KL .276 by simulation from the counts themselves."""
    whole = sample(votes_of(bundled("chaosnli", folders).items))
    (jsd,) = values(answers_floor(whole, measures, 20), "jsd")
    random = np.random.default_rng(0)
    direct = np.mean([measures["jsd"].value(whole.judged(random.multinomial(20, whole.human) / 20)) for _ in range(20)])
    assert jsd == pytest.approx(direct, abs=0.01)


def test_a_judge_is_measured_against_the_same_half_as_people(folders, measures):
    whole = sample(votes_of(bundled("chaosnli", folders).items))
    (perfect,) = values(against_half(whole, measures), "jsd")
    (half,) = values(split_half(whole, measures), "jsd")
    assert 0.03 < perfect < half


def test_people_on_other_items_are_no_judge(folders, measures):
    items = bundled("chaosnli", folders).items
    whole = Sample.of(items, [Prediction(item.uid, item.human) for item in items])
    found = shuffled(whole, measures)
    assert found["jsd"].value > 0.3
    assert found["dcor"].value < 0.2


def test_people_are_shown_with_few_votes_and_with_many(tmp_path):
    rows = [{"uid": str(n), "t": f"t{n}", "v": [2, 1]} for n in range(4)]
    (tmp_path / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert judgeharness("new-task", "few.jsonl", "--labels", "a,b").code == 0
    board = judgeharness("eval", "--task", "few.toml", "--backend", "baseline:uniform").out
    assert "human split-half" in board
    assert "noise floor" in board
    shown = judgeharness("leaderboard", "--people", "1", "--people", "2").out
    assert "1 annotator" in shown
    assert "2 annotators: half of the votes are not those of so many people" in shown
