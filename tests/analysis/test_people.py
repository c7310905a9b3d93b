import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.people import (
    annotators,
    annotators_measured,
    are_a_ceiling,
    halves_measured,
    split_halves,
    votes_of,
)
from judgeharness.domain.nouns import Item
from judgeharness.evaluation.components import default_measures
from judgeharness.plugins.registry import Registry
from tests.helpers import bundled, judgeharness

VOTES = st.lists(st.lists(st.integers(0, 30), min_size=3, max_size=3).filter(lambda row: sum(row) > 1), min_size=1)


@given(VOTES, st.integers(0, 9))
def test_halves_are_dealt_without_a_vote_lost(votes, seed):
    counts = np.array(votes)
    first, second = split_halves(counts, np.random.default_rng(seed))
    totals = counts.sum(axis=1)
    small, large = totals // 2, totals - totals // 2
    np.testing.assert_allclose(first * small[:, None] + second * large[:, None], counts, atol=1e-9)
    np.testing.assert_allclose(first.sum(axis=1), 1)


@given(VOTES, st.integers(1, 12))
def test_annotators_give_whole_votes(votes, n):
    counts = np.array(votes)
    whole, few = annotators(counts, n, np.random.default_rng(0))
    np.testing.assert_allclose(few * n, np.round(few * n), atol=1e-9)
    assert (few[whole == 0] == 0).all()


def test_items_without_countable_votes_have_no_ceiling():
    def item(votes):
        return Item("u", {}, (0.5, 0.5), votes)

    assert votes_of([]) is None
    assert votes_of([item(None)]) is None
    assert votes_of([item((1.5, 0.5))]) is None
    assert votes_of([item((1.0, 0.0))]) is None
    assert votes_of([item((3.0, 1.0)), item((2.0, 2.0))]).tolist() == [[3, 1], [2, 2]]


def test_the_published_ceiling_and_what_few_annotators_reach(folders):
    """On the paper's 341 items: see its section on the human ceiling."""
    votes = votes_of(bundled("chaosnli", folders).items)
    measures = default_measures(Registry.from_environment())
    halves = halves_measured(votes, measures)
    assert [halves[name] for name in ("kl", "jsd", "tvd", "dcor")] == pytest.approx(
        [0.110, 0.090, 0.086, 0.955], abs=0.004
    )
    for n, expected in {4: (0.229, 0.218), 5: (0.205, 0.195), 10: (0.146, 0.137), 100: (0.044, 0.043)}.items():
        few = annotators_measured(votes, n, measures)
        assert (few["jsd"], few["tvd"]) == pytest.approx(expected, abs=0.004)


def test_a_few_votes_are_no_ceiling(tmp_path):
    """Three raters an item: one of them against two others is further from people than a judge in doubt."""
    assert are_a_ceiling(np.full((4, 2), 10))
    assert not are_a_ceiling(np.array([[50, 50], [10, 9]]))
    rows = [{"uid": str(n), "t": f"t{n}", "v": [2, 1]} for n in range(4)]
    (tmp_path / "few.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert judgeharness("new-task", "few.jsonl", "--labels", "a,b").code == 0
    board = judgeharness("eval", "--task", "few.toml", "--backend", "baseline:uniform").out
    assert "human split-half" not in board
    assert "2 annotators" in judgeharness("leaderboard", "--people", "2").out
    assert "human split-half" in judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:uniform").out
