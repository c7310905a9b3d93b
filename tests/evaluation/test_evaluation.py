"""Evaluations with a made-up backend, given as a plugin, that counts what it is asked and fails when told to."""

import json
import sqlite3
import textwrap
from pathlib import Path

import pytest

from judgeharness.store.database import Store
from tests.helpers import judgeharness

ROOT = Path(__file__).resolve().parents[2]

PLUGIN = """
import numpy as np
from judgeharness import hookimpl
from judgeharness.domain.nouns import OptionScores, ScoringFailure, in_label_order
from judgeharness.plugins.options import Options
from judgeharness.plugins.specs import BackendSpec, MetricSpec, TransformSpec

ASKED = []

class FakeOptions(Options):
    shift: float = 5.0

@hookimpl
def judgeharness_backends():
    options = f"{__name__}:FakeOptions"
    return [BackendSpec(name="fake", summary="letters by rule", target=f"{__name__}:Fake", options=options),
            BackendSpec(name="guess", summary="no distributions", target=f"{__name__}:Guess")]

@hookimpl
def judgeharness_metrics():
    about = dict(label="X", direction="lower", unit="none", range=(0, None), source="none")
    about |= dict(summary="no good", level="item")
    return [MetricSpec(name="broken", target=f"{__name__}:broken", **about),
            MetricSpec(name="shapeless", target=f"{__name__}:shapeless", **about),
            MetricSpec(name="undefined", target=f"{__name__}:undefined", **{**about, "level": "corpus"})]

@hookimpl
def judgeharness_transforms():
    return [TransformSpec(name="halves", summary="no distribution", target=f"{__name__}:halves")]

class Guess:
    def __init__(self, model, options, context):
        self.rows = {"few": np.ones((1, 3)) / 3, "negative": np.tile([2.0, -1, 0], (5, 1))}[model]
    def describe(self): return {"backend": "guess"}
    def predict(self, items, labels): return self.rows

def broken(human, model): raise ZeroDivisionError("oh")
def shapeless(human, model): return human
def undefined(human, model): return float("nan")
def halves(options): return lambda scores: scores.scores * 0 + 0.1

class Fake:
    def __init__(self, model, options, context):
        self.model, self.options = model, options
        context.notify(f"this is {model}")
    def describe(self): return {"backend": "fake", "model": self.model, "shift": self.options.shift}
    def environment(self): return {"place": "test"}
    def render(self, group): return None
    def encode(self, group): return None if self.model == "server" else [[1, 2, 3]] * len(group.prompts)
    def open(self): ASKED.append("open")
    def close(self): ASKED.append("close")
    def score(self, groups):
        for count, group in enumerate(groups, start=1):
            ASKED.append(group.uid)
            if self.model == "interrupted" and count == 3: raise KeyboardInterrupt
            if self.model == "failing" and count == 2:
                yield ScoringFailure(group.uid, "it was\\x1b[31m too long"); continue
            if self.model == "silent" and count == 2: continue
            letters = np.arange(group.n_options, dtype=float) + self.options.shift
            by_letter = np.tile(letters, (len(group.prompts), 1))
            if self.model == "wide": by_letter = np.ones((len(group.prompts), 7))
            else: by_letter = in_label_order(by_letter, group)
            kind = "logprob" if self.model == "server" else "logit"
            if kind == "logprob": by_letter = by_letter - 20
            result = OptionScores(group.uid, by_letter, kind, np.full(len(group.prompts), 0.25))
            yield result
            if self.model == "twice": yield result
"""


@pytest.fixture
def fake(tmp_path):
    import sys

    path = tmp_path / "fake_backend.py"
    path.write_text(textwrap.dedent(PLUGIN))

    def call(*words, model="sound", strategy="parallel", limit=5, form="json"):
        strategies = [] if strategy is None else ["--strategy", strategy]
        result = judgeharness(
            "--plugin", path, "eval", "--task", "nli-sample", "--backend", f"fake:{model}", *strategies,
            "--limit", limit, "--store", tmp_path / "s.db", "--format", form, *words,
        )  # fmt: skip
        result.asked = list(sys.modules["fake_backend"].ASKED) if "fake_backend" in sys.modules else []
        return result

    yield call
    sys.modules.pop("fake_backend", None)


def runs(result):
    return json.loads(result.out)["runs"]


def test_both_transforms_unless_one_is_named(fake):
    both = fake()
    assert both.code == 0, both.err
    assert [(run["transform"], run["temperature"], run["n_items"], run["n_failed"]) for run in runs(both)] == [
        ("norm", None, 5, 0),
        ("softmax", 20.0, 5, 0),
    ]
    assert set(runs(both)[0]["metrics"]) == {"kl", "jsd", "tvd", "dcor"}
    (one,) = runs(fake("--transform", "softmax", "--temperature", "3"))
    assert one["temperature"] == 3


def test_option_orders_cancel_what_depends_on_the_letter_alone(fake):
    for run in runs(fake("--backend", "baseline:uniform")):
        assert run["metrics"]["jsd"] == pytest.approx(runs(fake("--backend", "baseline:uniform"))[-1]["metrics"]["jsd"])


def test_the_same_again_asks_nothing_and_keeps_its_ids(fake):
    first, second = fake(), fake()
    assert [run["id"] for run in runs(first)] == [run["id"] for run in runs(second)]
    assert [run["metrics"] for run in runs(first)] == [run["metrics"] for run in runs(second)]
    assert first.asked.count("open") == 1
    assert "open" not in second.asked


def test_other_options_are_another_backend(fake):
    first, second = fake(), fake("-o", "shift=7")
    assert {run["id"] for run in runs(first)}.isdisjoint(run["id"] for run in runs(second))
    assert second.asked.count("open") == 1


def test_items_with_the_same_text_share_their_scores_and_keep_their_names(fake, tmp_path):
    item = {"premise": "p", "hypothesis": "h", "votes": [1, 1, 1], "genre": "g"}
    lines = [json.dumps({**item, "uid": uid, "votes": votes}) for uid, votes in (("a", [3, 1, 1]), ("b", [1, 1, 3]))]
    (tmp_path / "items.jsonl").write_text("\n".join(lines))
    shipped = ROOT / "tasks" / "nli-sample" / "task.toml"
    (tmp_path / "twins.toml").write_text(shipped.read_text().replace('"nli-sample"', '"twins"'))
    result = fake("--task", tmp_path / "twins.toml", strategy="no-explanation", limit=9)
    assert result.code == 0, result.err
    twins = [run for run in runs(result) if run["task"] == "twins"]
    assert [run["n_items"] for run in twins] == [2, 2]
    for uid, human in (("a", [0.6, 0.2, 0.2]), ("b", [0.2, 0.2, 0.6])):
        words = ("show", twins[0]["id"], uid, "--format", "json", "--store", tmp_path / "s.db")
        assert json.loads(judgeharness(*words).out)["human"] == human


def test_a_full_disk_is_an_error_in_words(fake, tmp_path, monkeypatch):
    fake(limit=1)
    original = Store.open

    def small(path, create=True):
        opened = original(path, create)
        pages = opened.connection.execute("PRAGMA page_count").fetchone()[0]
        opened.connection.execute(f"PRAGMA max_page_count = {pages}")
        return opened

    monkeypatch.setattr(Store, "open", small)
    result = fake(limit=20)
    assert result.code == 1
    assert "database or disk is full" in result.err
    assert "Traceback" not in result.err
    monkeypatch.setattr(Store, "open", original)
    assert fake(limit=20).code == 0


def test_more_items_ask_for_the_new_ones_only(fake):
    fake(limit=3)
    assert [word for word in fake(limit=5).asked if word.startswith("sample")] == ["sample-04", "sample-05"]


def test_an_interrupted_run_goes_on_where_it_stopped(fake, tmp_path):
    stopped = fake(model="interrupted")
    assert stopped.code == 1
    assert "interrupted: what was done is in the store\n  the same command resumes" in stopped.err
    assert stopped.out == ""
    assert stopped.asked[-1] == "close"
    with sqlite3.connect(tmp_path / "s.db") as connection:
        assert connection.execute("SELECT count(*) FROM scores").fetchone() == (2,)
        assert connection.execute("SELECT status FROM sessions").fetchall() == [("interrupted",)]
    connection.close()
    assert fake(model="interrupted").asked[1:3] == ["sample-03", "sample-04"]


def test_a_failed_item_is_counted_named_and_asked_again(fake, tmp_path):
    failing = fake(model="failing")
    assert failing.code == 1
    assert [run["n_failed"] for run in runs(failing)] == [1, 1]
    run = runs(failing)[0]["id"]
    shown = judgeharness("show", run, "sample-02", "--store", tmp_path / "s.db")
    assert "it was\\x1b[31m too long" in shown.out
    assert "\x1b" not in shown.out
    table = judgeharness("leaderboard", "--store", tmp_path / "s.db")
    assert "1 of 5 items failed" in table.out
    again = fake(model="failing")
    assert [word for word in again.asked if word.startswith("sample")] == ["sample-02"]
    assert again.code == 0


def test_log_probabilities_leave_norm_out_with_a_note(fake):
    result = fake(model="server")
    assert [run["transform"] for run in runs(result)] == ["softmax"]
    assert "norm is left out, undefined for 5 of 5 items (norm needs raw logits" in result.err
    named = fake("--transform", "norm", model="server")
    assert named.code == 1
    (run,) = runs(named)
    assert run["n_failed"] == 5
    assert set(run["metrics"].values()) == {None}


BROKEN_CONTRACT = {
    "silent": "it gave no answer for 'sample-02'",
    "twice": "an answer for 'sample-01', which was not asked, or is answered already",
    "wide": "the scores of 'sample-01' have the shape (24, 7), not (24, 3)",
}


@pytest.mark.parametrize("model", BROKEN_CONTRACT)
def test_a_backend_that_breaks_its_contract_is_told_so(fake, model):
    result = fake(model=model)
    assert result.code == 1
    assert BROKEN_CONTRACT[model] in result.err


@pytest.mark.parametrize(("model", "said"), [("few", "the shape is (1, 3), not (5, 3)"), ("negative", "is -1")])
def test_a_predictor_that_gives_no_distributions(fake, model, said):
    result = fake("--backend", f"guess:{model}")
    assert result.code == 1
    assert "backend 'guess' of the plugin" in result.err
    assert said in result.err


def test_broken_metrics_and_transforms_are_named_and_scores_kept(fake):
    for words, code, message in (
        (["--metric", "broken"], 1, "failed in 'broken': ZeroDivisionError: oh"),
        (["--metric", "shapeless"], 1, "gives the shape (5, 3), not (5,)"),
        (["--transform", "halves"], 1, "the probabilities of a row sum to 0.3"),
    ):
        result = fake(*words, form="table")
        assert result.code == code
        assert message in " ".join((result.out + result.err).split())
    assert "open" not in fake().asked
    assert runs(fake("--metric", "undefined"))[0]["metrics"]["undefined"] is None


BAD_USAGE = {
    "strategy": (["--strategy", "paralel"], "unknown strategy 'paralel'"),
    "backend": (["--backend", "hff:x"], "unknown backend 'hff'"),
    "no model": (["--backend", "hf"], "backend 'hf' names no model"),
    "task": (["--task", "nli-simple"], "unknown task 'nli-simple'"),
    "transform": (["--transform", "sofmax"], "unknown transform 'sofmax'"),
    "metric": (["--metric", "kll"], "unknown metric 'kll'"),
    "executor": (["--executor", "rey"], "unknown executor 'rey'"),
    "format": (["--format", "jsn"], "unknown reporter 'jsn'"),
    "option": (["-o", "shfit=1"], "unknown option 'shfit': did you mean shift?"),
    "option value": (["-o", "shift=much"], "option shift=much of fake"),
    "temperature": (["--temperature", "0"], "--temperature"),
    "temperature nan": (["--temperature", "nan"], "--temperature"),
    "no temperature": (["--transform", "norm", "--temperature", "2"], "none of the transforms norm has a temperature"),
    "split": (["--split", "dev"], "unknown split of task nli-sample 'dev'"),
    "baseline": (["--backend", "baseline:mnli-single"], "this task has no baseline 'mnli-single'"),
    "limit": (["--limit", "0"], "--limit"),
    "store": (["--store", "/"], "not a place for a file"),
}


@pytest.mark.parametrize("fault", BAD_USAGE)
def test_bad_usage_is_exit_code_2_and_nothing_written(fake, fault, tmp_path):
    words, message = BAD_USAGE[fault]
    result = fake(*words)
    assert result.code == 2, result.err
    assert message in result.err
    assert "Traceback" not in result.err
    assert result.out == ""
    assert not any(word.startswith("sample") for word in result.asked)
    assert not (tmp_path / "s.db").exists()


def test_a_model_without_a_strategy(fake):
    result = fake(strategy=None)
    assert result.code == 2
    assert "fake:sound needs at least one --strategy" in result.err


def test_debug_shows_the_trace(fake):
    from judgeharness.domain.errors import HarnessError

    with pytest.raises(HarnessError):
        fake("--debug", model="wide")


def test_the_record_of_a_run(fake, tmp_path):
    run = runs(fake("--temperature", "4"))[1]
    shown = json.loads(judgeharness("show", run["id"][:6], "--format", "json", "--store", tmp_path / "s.db").out)
    assert shown["task"]["files"] and shown["task"]["licence"] == "Apache-2.0"
    assert shown["backend"] == {"name": "fake:sound", "backend": "fake", "model": "sound", "shift": 5.0}
    assert shown["record"]["transform"] == {"name": "softmax", "options": {"temperature": 4.0}}
    assert shown["record"]["strategy"] == {"name": "parallel", "options": {"k": 1, "option_orders": "all"}}
    assert shown["record"]["environment"] == {"place": "test"}
    assert (shown["record"]["prompts"], shown["record"]["prompts_scored"]) == (120, 120)
    assert shown["session"]["status"] == "done"
    assert shown["session"]["packages"]["numpy"]
    assert "fake_backend" in shown["session"]["plugins"]
    text = judgeharness("show", run["id"], "--store", tmp_path / "s.db").out
    assert "record.transform.options.temperature" in text


def test_one_item_of_a_run(fake, tmp_path):
    run = runs(fake())[0]["id"]
    shown = json.loads(judgeharness("show", run, "sample-03", "--format", "json", "--store", tmp_path / "s.db").out)
    assert shown["labels"] == ["entailment", "neutral", "contradiction"]
    assert shown["human"] == [0.96, 0.03, 0.01]
    assert len(shown["scores"]) == 24
    assert sum(shown["model"]) == pytest.approx(1)
    assert judgeharness("show", run, "sample-99", "--store", tmp_path / "s.db").code == 2
    assert judgeharness("show", "ffffffffffff", "--store", tmp_path / "s.db").code == 2
    assert judgeharness("show", "", "--store", tmp_path / "s.db").code == 2


def test_a_table_of_a_strange_model_warns_of_low_mass(fake):
    assert "the options hold 25.0% of the probability" in fake(form="table").out


def test_stdout_is_the_document_alone(fake):
    result = fake()
    json.loads(result.out)
    assert "this is sound" in result.err
    assert "120 prompts to do" in result.err
    assert "360" in result.err
