"""Packs on their way to a scorer that answers later, or at once."""

import numpy as np
import pytest

from judgeharness.backends.letters import LetterScores
from judgeharness.backends.local.packing import Packer, Scoring, at_once
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import ScoringFailure
from tests.helpers import group

LETTERS = {"A": 0, "B": 1, "C": 2}


def encode(one):
    """Tokens that only this group has: as many as its uid says."""
    length = int(one.uid.split("-")[1])
    return [[hash(one.uid) % 1000, *range(length - 1)] for _ in one.prompts]


def scores_of(groups):
    return [
        LetterScores(np.full((len(prompts), 3), float(len(prompts[0]))), np.ones(len(prompts))) for prompts in groups
    ]


class Later:
    """A scorer that is given its work, and asked for the result when that is wanted."""

    def __init__(self):
        self.log = []

    def begin(self, groups, letters):
        number = len([line for line in self.log if line.startswith("begun")])
        self.log.append(f"begun {number}")

        def take():
            self.log.append(f"taken {number}")
            return scores_of(groups)

        return Scoring(take, ready=False)


def packer(longest=None):
    return Packer(encode, LETTERS, longest, pack_tokens=10)


def test_the_next_pack_is_handed_over_before_the_last_is_waited_for():
    scorer = Later()
    groups = [group(uid=f"g{place}-10") for place in range(4)]
    found = list(packer().run(groups, scorer.begin))
    assert [each.uid for each in found] == [each.uid for each in groups]
    assert scorer.log == [
        "begun 0", "begun 1", "taken 0", "begun 2", "taken 1", "begun 3", "taken 2", "taken 3",
    ]  # fmt: skip


def test_what_is_done_at_once_is_given_at_once():
    seen = []

    def groups():
        for place in range(3):
            seen.append(place)
            yield group(uid=f"g{place}-10")

    results = packer().run(groups(), at_once(lambda given, letters: scores_of(given)))
    assert next(results).uid == "g0-10"
    assert seen == [0, 1]
    assert [each.uid for each in results] == ["g1-10", "g2-10"]


@pytest.mark.parametrize("begin", [Later().begin, at_once(lambda given, letters: scores_of(given))])
def test_every_group_gets_its_own_scores_and_too_long_ones_a_reason(begin):
    lengths = [3, 30, 4, 10, 2, 2, 2, 30, 9]
    found = list(packer(longest=20).run([group(uid=f"g{i}-{n}") for i, n in enumerate(lengths)], begin))
    assert sorted(each.uid for each in found) == sorted(f"g{i}-{n}" for i, n in enumerate(lengths))
    for each in found:
        length = int(each.uid.split("-")[1])
        assert isinstance(each, ScoringFailure) == (length == 30)
        if length != 30:
            np.testing.assert_array_equal(each.scores, length)


def test_a_letter_without_a_token_is_an_error():
    with pytest.raises(HarnessError):
        list(Packer(encode, {"A": 0}, None, 10).run([group(uid="g-3")], Later().begin))


def test_what_was_handed_over_is_not_lost_to_a_pack_that_fails():
    scorer = Later()

    def failing(groups, letters):
        if "begun 1" in scorer.log:
            raise MemoryError("no more")
        return scorer.begin(groups, letters)

    results = packer().run([group(uid=f"g{place}-10") for place in range(4)], failing)
    found = []
    with pytest.raises(MemoryError):
        found.extend(results)
    assert [each.uid for each in found] == ["g0-10", "g1-10"]
