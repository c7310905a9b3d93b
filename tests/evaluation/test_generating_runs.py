"""Evaluations in which a made-up model writes: turns, failures, resume, and what is said about texts."""

import json
import sys
import textwrap

import pytest

from judgeharness.store.database import Store
from tests.helpers import judgeharness

PLUGIN = """
import numpy as np
from judgeharness import hookimpl
from judgeharness.domain.nouns import (
    Decoding, GeneratedTexts, Message, OptionScores, Prompt, PromptGroup, Reading, ScoringFailure, in_label_order
)
from judgeharness.plugins.specs import BackendSpec, StrategySpec

ASKED = []

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="pen", summary="writes", target=f"{__name__}:Pen"),
            BackendSpec(name="both", summary="writes and scores", target=f"{__name__}:Both")]

@hookimpl
def judgeharness_strategies():
    return [StrategySpec(name=name, summary=name, target=f"{__name__}:{target}") for name, target in
            (("debate", "Debate"), ("endless", "Endless"), ("liar", "Liar"), ("unread", "Unread"))]

class Pen:
    def __init__(self, model, options, context): self.model = model
    def describe(self): return {"backend": "pen", "model": self.model}
    def environment(self): return {}
    def render(self, group): return None
    def encode(self, group): return [[1, 2, 3, index] for index in range(len(group.prompts))]
    def open(self): ASKED.append("open")
    def close(self): ASKED.append("close")
    def generate(self, groups):
        for count, group in enumerate(groups, start=1):
            ASKED.append(("generate", group.uid, len(group.prompts[0].messages)))
            if self.model == "interrupted" and count == 3: raise KeyboardInterrupt
            if self.model == "failing" and count == 2:
                yield ScoringFailure(group.uid, "the pen broke"); continue
            if self.model == "short":
                yield GeneratedTexts(group.uid, ("x",), (False,)); continue
            if self.model == "wrong":
                yield OptionScores(group.uid, np.zeros((len(group.prompts), 3)), "logit"); continue
            said = "A: 50%\\nB: 30%\\nC: 20%" if count != 1 else "no idea"
            yield GeneratedTexts(group.uid, (said,) * len(group.prompts), (count == 1,) * len(group.prompts))

class Both(Pen):
    def score(self, groups):
        for group in groups:
            ASKED.append(("score", group.uid, len(group.prompts[0].messages)))
            scores = np.tile([3.0, 2.0, 1.0], (len(group.prompts), 1))
            yield OptionScores(group.uid, in_label_order(scores, group), "logit")

class Debate:
    '''Two rounds of writing, then scores.'''
    ends_in = "scores"
    def __init__(self, options): pass
    def check(self, task): pass
    def group(self, item, task):
        return PromptGroup(item.uid, (Prompt((Message("user", item.uid),), (2, 1, 0)),), Decoding(5))
    def follow(self, item, task, written):
        turns = [Message("user", item.uid)]
        for each in written: turns += [Message("assistant", each.texts[0]), Message("user", "And?")]
        return PromptGroup(item.uid, (Prompt(tuple(turns), (2, 1, 0)),), Decoding(5) if len(written) == 1 else None)

class Endless(Debate):
    def follow(self, item, task, written):
        return PromptGroup(item.uid, (Prompt((Message("user", str(len(written))),), (0, 1, 2)),), Decoding(5))

class Liar(Debate):
    ends_in = "reading"

class Unread(Debate):
    ends_in = "reading"
    def follow(self, item, task, written): return Reading(np.zeros((1, 3)))
"""


@pytest.fixture
def pen(tmp_path):
    path = tmp_path / "pen_plugin.py"
    path.write_text(textwrap.dedent(PLUGIN))

    def call(*words, backend="both:sound", strategy="debate", limit=4):
        if "pen_plugin" in sys.modules:
            sys.modules["pen_plugin"].ASKED.clear()
        result = judgeharness(
            "--plugin", path, "eval", "--task", "nli-sample", "--backend", backend, "--strategy", strategy,
            "--limit", limit, "--store", tmp_path / "s.db", "--format", "json", *words,
        )  # fmt: skip
        result.asked = list(sys.modules["pen_plugin"].ASKED) if "pen_plugin" in sys.modules else []
        result.runs = json.loads(result.out)["runs"] if result.out else []
        return result

    yield call
    sys.modules.pop("pen_plugin", None)


def kinds(result):
    return [each[0::2] for each in result.asked if isinstance(each, tuple)]


def test_two_rounds_of_writing_then_scores(pen):
    result = pen()
    assert result.code == 0, result.err
    assert kinds(result) == [("generate", 1)] * 4 + [("generate", 3)] * 4 + [("score", 5)] * 4
    assert [run["transform"] for run in result.runs] == ["norm", "softmax"]
    assert result.runs[0]["texts"] == 8
    assert result.runs[0]["texts_cut"] == 2
    assert not result.runs[0]["texts_unread"]
    again = pen("--transform", "softmax", "--temperature", "1")
    assert again.asked == ["close"]
    assert again.runs[0]["metrics"] != result.runs[1]["metrics"]


def test_what_was_written_before_an_interruption_is_not_written_again(pen, tmp_path):
    broken = pen(backend="both:interrupted")
    assert broken.code == 1
    assert "what was done is in the store" in broken.err
    with Store.open(tmp_path / "s.db") as store:
        assert store.connection.execute("SELECT count(*) FROM texts").fetchone() == (2,)
    # Every third call is broken off: it is the last of what was asked, and alone is asked again.
    asked, answered = broken, []
    while asked.code:
        answered += [each for each in asked.asked if isinstance(each, tuple)][:-1]
        asked = pen(backend="both:interrupted")
    answered += [each for each in asked.asked if isinstance(each, tuple)]
    assert len(answered) == len(set(answered)) == 12


def test_an_item_that_could_not_be_written_is_a_failure_and_is_asked_once(pen):
    result = pen(backend="both:failing")
    assert result.code == 1
    asked = [uid for kind, uid, turns in (each for each in result.asked if isinstance(each, tuple)) if turns == 1]
    assert len(asked) == len(set(asked)) == 4
    assert result.runs[0]["n_failed"] == 2
    shown = judgeharness("show", result.runs[0]["id"], "--store", "s.db", "--format", "json")
    assert set(json.loads(shown.out)["failures"].values()) == {"the pen broke"}


def test_texts_that_could_not_be_read_are_counted_and_said(pen, tmp_path):
    result = pen(strategy="verbalized", backend="pen:sound")
    assert result.code == 1
    (run,) = result.runs
    assert run["transform"] is None
    assert run["temperature"] is None
    assert (run["texts"], run["texts_unread"], run["n_failed"]) == (24, 6, 1)
    board = judgeharness("leaderboard", "--store", tmp_path / "s.db")
    words = " ".join(board.out.split())
    assert "pen:sound verbalized: 6 of 24 answers (25.0%) could not be read and are left out" in words
    assert "6 of 24 texts were truncated" in words
    uid = next(
        iter(
            json.loads(judgeharness("show", run["id"], "--store", tmp_path / "s.db", "--format", "json").out)[
                "failures"
            ]
        )
    )
    item = judgeharness("show", run["id"], uid, "--store", tmp_path / "s.db")
    assert "no idea [truncated]" in item.out
    assert "none of the 6 texts could be read" in item.out


def test_position_bias_of_a_judge_that_states_percentages(pen, tmp_path):
    """It gives A a half whatever stands behind it."""
    run = pen(strategy="verbalized", backend="pen:sound").runs[0]
    found = judgeharness(
        "--plugin", tmp_path / "pen_plugin.py", "bias", run["id"], "--store", tmp_path / "s.db", "--format", "json"
    )
    assert found.code == 0, found.err
    means = [each["value"] for each in json.loads(found.out)["letters"]]
    assert means == pytest.approx([0.5, 0.3, 0.2])


def test_a_named_transform_does_not_matter_where_texts_are_read(pen):
    assert [run["transform"] for run in pen("--transform", "norm", strategy="verbalized").runs] == [None]


ABLE = {
    "scores": ("debate", "pen:sound", "strategy debate needs option scores, and pen:sound gives none"),
    "scores alone": ("parallel", "pen:sound", "strategy parallel needs option scores"),
}


@pytest.mark.parametrize("name", ABLE)
def test_a_backend_that_cannot_answer_so_is_refused_first(pen, name):
    strategy, backend, message = ABLE[name]
    result = pen(strategy=strategy, backend=backend)
    assert result.code == 2
    assert message in result.err
    assert result.asked == []


BROKEN = {
    "too few texts": ("pen:short", "verbalized", "'generate': 1 texts for the 6 prompts of 'sample-01'"),
    "scores for texts": ("pen:wrong", "verbalized", "OptionScores, not GeneratedTexts or ScoringFailure"),
    "no end": ("both:sound", "endless", "Endless asks more than 100 times for item sample-0"),
    "a wrong end": ("both:sound", "liar", "its 'ends_in' is wrong"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_contracts_are_named(pen, name):
    backend, strategy, message = BROKEN[name]
    result = pen(strategy=strategy, backend=backend)
    assert result.code == 1
    assert message in result.err
    assert "Traceback" not in result.err


def test_nothing_readable_at_all_says_so(pen):
    result = pen(strategy="unread", backend="pen:sound")
    assert result.code == 1
    assert "no item has a distribution: none of the 1 texts could be read" in result.err


def test_the_plan_says_how_much_may_be_written(pen):
    err = pen(strategy="verbalized", backend="pen:sound").err
    assert "to write" in err
    assert "up to 1,536" in " ".join(err.split())


def test_parity_has_no_use_for_texts(pen):
    pair = ("--backend", "both:a", "--backend", "both:b")
    result = judgeharness("--plugin", "pen_plugin.py", "parity", "--task", "nli-sample", "--strategy", "cot", *pair)
    assert result.code == 2
    assert "strategy cot has models write" in result.err
