import numpy as np
import pytest

from judgeharness.analysis import parity
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores, ScoringFailure
from judgeharness.evaluation.parity import ask
from judgeharness.evaluation.progress import Watcher
from judgeharness.transforms.softmax import SoftmaxOptions, softmax
from tests.helpers import group

TAU = softmax(SoftmaxOptions())
GROUPS = [group("a", ((0, 1, 2), (2, 1, 0))), group("b", ((0, 1, 2), (1, 0, 2)))]
SCORES = {"a": [[5.0, 1.0, 0.0], [4.0, 2.0, 0.0]], "b": [[0.0, 3.0, 1.0], [1.0, 2.0, 2.0]]}


class Model:
    """Scores by table; `shift` is added to the first label, `tail` to what it reads."""

    def __init__(self, shift=0.0, tail="", fails=(), kind="logit", knows=True, counted=0):
        self.shift, self.tail, self.fails, self.kind, self.knows, self.counted = (
            shift,
            tail,
            fails,
            kind,
            knows,
            counted,
        )
        self.closed = False

    def describe(self):
        return {}

    def environment(self):
        return {"prompts_counted_otherwise": self.counted}

    def render(self, asked):
        return [prompt.messages[0].content + self.tail for prompt in asked.prompts] if self.knows else None

    def encode(self, asked):
        texts = self.render(asked)
        return None if texts is None else [[ord(char) for char in text] for text in texts]

    def open(self):
        pass

    def score(self, groups):
        for asked in groups:
            if asked.uid in self.fails:
                yield ScoringFailure(asked.uid, "broken")
            else:
                scores = np.array(SCORES[asked.uid]) + np.array([self.shift, 0, 0])
                yield OptionScores(asked.uid, scores - (7 if self.kind == "logprob" else 0), self.kind)

    def close(self):
        self.closed = True


def compared(*models, tolerance=0.002):
    sides = [ask(f"m{number}", model, GROUPS, Watcher()) for number, model in enumerate(models)]
    assert all(model.closed for model in models)
    return parity.compare(sides, TAU, tolerance)


def test_the_same_model_agrees_with_itself_whatever_kind_its_scores_are():
    found = compared(Model(), Model(kind="logprob"))
    (other,) = found.others
    assert found.holds
    assert (other.texts, other.tokens, other.items) == ("same", "same", 2)
    assert other.probability == pytest.approx(0, abs=1e-12)
    assert "m1 agrees with m0" in found.verdict()[0]


def test_another_model_does_not():
    found = compared(Model(), Model(shift=3.0))
    (other,) = found.others
    assert not found.holds
    expected = []
    for rows in SCORES.values():
        shifted = np.array(rows)
        shifted[:, 0] += 3
        pair = [TAU(OptionScores("x", each, "logit")) for each in (np.array(rows), shifted)]
        expected.append(np.abs(pair[0] - pair[1]))
    assert other.probability == pytest.approx(max(each.max() for each in expected))
    assert other.largest_jsd >= other.mean_jsd > 0.002
    assert "does not agree" in found.verdict()[0]


def test_a_judge_that_says_nothing_is_found_at_temperature_1():
    """At temperature 20 it is within the tolerance of nearly any other."""
    found = compared(Model(), Model(shift=0.2), tolerance=0.01)
    assert found.holds
    flat = compared(Model(), Model(shift=0.9), tolerance=0.0125)
    (other,) = flat.others
    assert other.mean_jsd <= 0.0125
    assert flat.holds == (other.sharp_jsd <= 0.125)


def test_where_prompts_first_differ_is_said():
    (other,) = compared(Model(), Model(tail="!")).others
    end = len(GROUPS[0].prompts[0].messages[0].content)
    assert other.texts == f"differ first in prompt 1 at {end}: '' and '!'"
    assert other.tokens == f"differ first in prompt 1 at {end}: [] and [33]"
    assert "their prompts are not the same" in compared(Model(), Model(tail="!")).verdict()[0]


def test_what_a_server_does_not_tell_is_unknown_and_what_it_counts_is_used():
    assert compared(Model(), Model(knows=False)).others[0].tokens == "unknown"
    assert compared(Model(), Model(counted=3)).others[0].tokens == "the server counted otherwise for 3 of 4 prompts"


def test_a_backend_that_fails_on_an_item_does_not_hold():
    found = compared(Model(), Model(fails=("b",)))
    assert not found.holds
    assert found.others[0].items == 1
    assert "m1 failed on 1 items (broken)" in found.verdict()[0]
    assert compared(Model(fails=("a", "b")), Model()).others[0].mean_jsd is None
    with pytest.raises(HarnessError, match="did not answer for every item"):
        model = Model()
        model.score = lambda groups: iter(())
        ask("m", model, GROUPS, Watcher())


def _side(name, scores):
    found = {uid: OptionScores(uid, rows, "logit") for uid, rows in scores.items()}
    return parity.Side(name, None, None, found, {}, 1.0, len(found))


@pytest.mark.parametrize("count", [2, 3, 6])
def test_a_few_items_that_were_mixed_up_are_found(count):
    """At temperature 20 they change the mean JSD by less than the tolerance."""
    random = np.random.default_rng(0)
    scores = {f"i{n}": random.normal(0, 1, (6, 3)) for n in range(100)}
    noisy = {uid: rows + random.normal(0, 0.002, rows.shape) for uid, rows in scores.items()}
    assert parity.compare([_side("m0", scores), _side("m1", noisy)], TAU).holds
    moved = [f"i{n}" for n in range(count)]
    mixed = noisy | {uid: noisy[moved[(place + 1) % count]] for place, uid in enumerate(moved)}
    (other,) = (found := parity.compare([_side("m0", scores), _side("m1", mixed)], TAU)).others
    assert other.mean_jsd < 0.002
    assert not found.holds
    assert other.exchanged == tuple(moved)
    assert f"{count} items have the distribution of another item" in found.verdict()[0]
