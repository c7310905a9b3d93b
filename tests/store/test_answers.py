"""Scores that earlier versions took from placeholders and the like count as missing."""

import numpy as np
import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores
from judgeharness.store.records import SessionRecord
from tests.helpers import faulty

SOUND = [[-0.2, -2.0, -4.0], [-0.7, -0.7, -9.0]]
FAULTY = {
    "vLLM's placeholder": ([[-0.2, -2.0, -9999.0], SOUND[1]], None),
    "the bound of -inf": ([SOUND[0], [-0.4, -1.1, -1e4]], [[False] * 3] * 2),
    "a bound from a placeholder": ([SOUND[0], [-0.4, -1.1, -9999.0]], [[False] * 3, [False, False, True]]),
    "the limit": ([SOUND[0], [-0.4, -1.1, -500.0]], None),
    "zeros": ([SOUND[0], [0.0, 0.0, 0.0]], None),
    "a little too much": ([[-0.1, -2.1, -9.0], SOUND[1]], None),
    "far above": ([[5000.0, -2.1, -9.0], SOUND[1]], None),
    "too much beside a bound": ([[0.0, -0.5, -0.5], SOUND[1]], [[False, False, True], [False] * 3]),
}
GOOD = {
    "log-probabilities": (SOUND, None),
    "rounding": ([[1e-4, -5.0, -9.0], SOUND[1]], None),
    "bounds alone are above 1": ([[-0.3, -0.3, -0.3], SOUND[1]], [[False, True, True], [False] * 3]),
    "nothing is known": ([[-0.3, -0.3, -0.3], SOUND[1]], [[True] * 3, [False] * 3]),
    "improbable": ([[-0.2, -2.0, -499.0], SOUND[1]], None),
}


def scores(rows, censored=None, kind="logprob"):
    return OptionScores("i", np.array(rows), kind, None, None if censored is None else np.array(censored))


@pytest.fixture
def session(store):
    with store.sessions.recorded("s", SessionRecord(command=["judgeharness"])):
        for name in ("b", "other"):
            store.answers.add_backend(name, {"backend": name})
        yield "s"


@pytest.mark.parametrize("name", FAULTY)
def test_faulty_scores_are_missing_until_they_are_asked_again(store, session, name):
    answers = store.answers
    answers.add("k", "b", session, scores(*FAULTY[name]))
    answers.add("sound", "b", session, scores(SOUND))
    assert answers.known(["k", "sound"]) == {"sound"}
    assert answers.scores("k") is None
    assert (faulty(store, "b"), faulty(store, "other"), faulty(store, "absent")) == (1, 0, 0)
    answers.add("k", "b", session, scores(SOUND))
    assert answers.known(["k", "sound"]) == {"k", "sound"}
    assert answers.scores("k").scores.tolist() == SOUND
    assert faulty(store, "b") == 0


@pytest.mark.parametrize("name", GOOD)
def test_sound_scores_stay(store, session, name):
    store.answers.add("k", "b", session, scores(*GOOD[name]))
    store.answers.add("k", "b", session, scores([[-1.0, -1.0, -9.0]] * 2))
    assert store.answers.known(["k"]) == {"k"}
    assert store.answers.scores("k").scores.tolist() == GOOD[name][0]
    assert faulty(store, "b") == 0


@pytest.mark.parametrize("name", FAULTY)
def test_logits_may_be_any_numbers(store, session, name):
    store.answers.add("k", "b", session, scores(*FAULTY[name], kind="logit"))
    assert store.answers.known(["k"]) == {"k"}
    assert store.answers.scores("k") is not None
    assert faulty(store, "b") == 0


@pytest.mark.parametrize(("column", "value"), [("scores", "[[0, 0]]"), ("scores", '{"a": []}'), ("censored", "[1]")])
def test_damage_is_reported_and_not_taken_for_a_fault(store, session, column, value):
    store.answers.add("k", "b", session, scores(*FAULTY["zeros"]))
    store.connection.execute(f"UPDATE scores SET {column} = ?", (value,))
    assert store.answers.known(["k"]) == {"k"}
    assert faulty(store, "b") == 0
    with pytest.raises(HarnessError, match="the store is damaged"):
        store.answers.scores("k")
