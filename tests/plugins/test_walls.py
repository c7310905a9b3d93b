"""A plugin with a switch for every fault: each ends in words that name the plugin, and loses no more than it must."""

import json
import os
import subprocess
import sys
import textwrap

import pytest

from tests.helpers import judgeharness

PLUGIN = '''
import sys
from functools import partial

import click
import numpy as np

from judgeharness import hookimpl
from judgeharness.domain.nouns import Decoding, GeneratedTexts, Message, OptionScores, Prompt, PromptGroup, Reading
from judgeharness.domain.nouns import ScoringFailure
from judgeharness.plugins.options import Options
from judgeharness.plugins.specs import *

FAULT = "none"
HERE = __name__ + ":"
ABOUT = dict(label="F", direction="lower", unit="none", range=(0, 1), source="here")

class Options_(Options):
    patience: int = 1

@hookimpl
def judgeharness_backends(): return [BackendSpec(name="faulty", summary="s", target=HERE + "Backend")]
@hookimpl
def judgeharness_tasks(): return [TaskSpec(name="faulty-task", summary="s", target=HERE + "task")]
@hookimpl
def judgeharness_strategies():
    return [StrategySpec(name="faulty-way", summary="s", target=HERE + "Way"),
            StrategySpec(name="faulty-words", summary="s", target=HERE + "Words")]
@hookimpl
def judgeharness_transforms(): return [TransformSpec(name="faulty-form", summary="s", target=HERE + "form")]
@hookimpl
def judgeharness_metrics():
    return [MetricSpec(name="faulty-gap", summary="s", target=HERE + "gap", level="item", **ABOUT),
            MetricSpec(name="faulty-whole", summary="s", target=HERE + "whole", level="corpus",
                       resampled=HERE + "resampled", **ABOUT),
            MetricSpec(name="faulty-squares", summary="s", target=HERE + "whole", level="corpus",
                       squared=HERE + "squares", **ABOUT)]
@hookimpl
def judgeharness_reporters(): return [ReporterSpec(name="faulty-lines", summary="s", target=HERE + "lines")]
@hookimpl
def judgeharness_sections(): return [SectionSpec(name="faulty-part", summary="s", target=HERE + "part")]
@hookimpl
def judgeharness_executors(): return [ExecutorSpec(name="faulty-place", summary="s", target=HERE + "Place")]
@hookimpl
def judgeharness_commands(): return [CommandSpec(name="faulty-command", summary="s", target=HERE + "command")]

class Strange(BaseException):
    def __str__(self): raise ValueError("not even this")

RAISED = {"raises": lambda: ZeroDivisionError("oh\\nno"), "exits": lambda: SystemExit(0), "strange": Strange,
          "stops": lambda: GeneratorExit(), "groups": lambda: BaseExceptionGroup("both", [ValueError(1)]),
          "context": lambda: click.exceptions.Exit(0)}

def fault(place):
    """Raise here, if the switch says so: "raises in open"."""
    how, _, where = FAULT.partition(" in ")
    if where == place and how in RAISED: raise RAISED[how]()

def changed(place, value, **others):
    how, _, where = FAULT.partition(" from ")
    return others[how] if where == place and how in others else value

class Backend:
    def __init__(self, model, options, context): fault("backend")
    def describe(self):
        fault("describe")
        return changed("describe", {"backend": "faulty"}, nothing=None, objects={"a": self}, nan={"a": float("nan")})
    def environment(self):
        fault("environment")
        return changed("environment", {}, nothing=None)
    def render(self, group):
        fault("render")
        return changed("render", None, few=[], numbers=[1] * len(group.prompts))
    def encode(self, group):
        fault("encode")
        return changed("encode", None, few=[[1]], words=[["a"]] * len(group.prompts))
    def open(self): fault("open")
    def close(self): fault("close")
    def score(self, groups):
        if FAULT == "nothing from score": return None
        return self._score(groups)
    def _score(self, groups):
        for place, group in enumerate(groups):
            if place == 1: fault("score")
            shape = (len(group.prompts), group.n_options)
            good = np.log(np.full(shape, 1 / shape[1]) * 0.9) + np.arange(group.n_options) / 100
            if place != 1:
                yield OptionScores(group.uid, good, "logprob", np.full(shape[0], 0.9))
                continue
            one = np.arange(good.size).reshape(shape) == 0
            yield changed("score", OptionScores(group.uid, good.tolist(), "logprob"),
                none=None, text="A", pair=(group.uid, good), other=OptionScores("nobody", good, "logprob"),
                number=ScoringFailure(7, "x"), texts=GeneratedTexts(group.uid, ("a",) * shape[0], (False,) * shape[0]),
                wide=OptionScores(group.uid, np.zeros((shape[0], 7)), "logit"),
                nan=OptionScores(group.uid, np.where(one, np.nan, good), "logit"),
                infinite=OptionScores(group.uid, np.where(one, -np.inf, good), "logprob"),
                certain=OptionScores(group.uid, np.where(one, 0.7, good), "logprob"),
                mass=OptionScores(group.uid, good, "logprob", np.full(shape[0], 2.0)))
            if FAULT == "flat from score": yield OptionScores(group.uid, good[0], "logprob")
            if FAULT == "complex from score": yield OptionScores(group.uid, good + 1j, "logprob")
            if FAULT == "objects from score": yield OptionScores(group.uid, good.astype(object), "logprob")
            if FAULT == "kind from score": yield OptionScores(group.uid, good, "odds")
            if FAULT == "censored from score": yield OptionScores(group.uid, good, "logprob", None, good)
            if FAULT == "twice from score": yield OptionScores(group.uid, good, "logprob")
            if FAULT == "short from score": return
    def generate(self, groups):
        for group in groups:
            fault("generate")
            n = len(group.prompts)
            yield changed("generate", GeneratedTexts(group.uid, ["A"] * n, [False] * n),
                few=GeneratedTexts(group.uid, ("A",), (False,)), scores=OptionScores(group.uid, np.zeros((n, 3)), "logit"))
            if FAULT == "numbers from generate": yield GeneratedTexts(group.uid, (1,) * n, (False,) * n)
            if FAULT == "marks from generate": yield GeneratedTexts(group.uid, ("a",) * n, (None,) * n)

def task():
    fault("task")
    return None

class Way:
    def __init__(self, options): fault("strategy")
    def check(self, task): fault("check")
    def group(self, item, task):
        fault("group")
        orders = changed("group", [(0, 1, 2), (2, 1, 0)], none=[], doubled=[(0, 0, 1)], short=[(0, 1)], large=[(0, 1, 3)],
                         lists=[[0, 1, 2]])
        shown = changed("group", (), absent=(99,))
        role = changed("group", "user", role="wizard")
        text = changed("group", item.fields["premise"], number=1)
        made = tuple(Prompt((Message(role, text),), order, shown) for order in orders)
        group = PromptGroup(changed("group", item.uid, other="nobody"), made, changed("group", None, endless=Decoding(-1)))
        return changed("group", group, nothing=None, prompts=made)

class Words(Way):
    ends_in = changed("ends_in", "reading", nonsense="tears")
    def group(self, item, task):
        made = tuple(Prompt((Message("user", item.fields["premise"]),), order) for order in [(0, 1, 2), (2, 1, 0)])
        return PromptGroup(item.uid, made, Decoding(4))
    def follow(self, item, task, written):
        fault("follow")
        n = len(written[-1].texts)
        return changed("follow", Reading(np.full((n, 3), 1 / 3)), nothing=None, few=Reading(np.full((1, 3), 1 / 3)),
                       sums=Reading(np.ones((n, 3))), negative=Reading(np.tile([2.0, -1, 0], (n, 1))),
                       nan=Reading(np.full((n, 3), np.nan)), other=PromptGroup("nobody", (), None))

def form(options):
    fault("transform")
    if FAULT == "nothing from transform": return None
    def apply(scores):
        fault("transforming")
        rows = np.full(scores.scores.shape, 1 / 3)
        return changed("transforming", rows, nothing=None, flat=rows[0], nan=rows * np.nan, sums=rows / 2, complex=rows + 0j,
                       negative=rows * [-1, 2, 2], text="a", lists=rows.tolist())
    return apply

def gap(human, model):
    fault("metric")
    rows = np.abs(human - model).max(axis=1)
    return changed("metric", rows, nothing=None, nan=rows * np.nan, infinite=rows + np.inf, complex=rows + 1j, text="much",
                   table=human, words=["a"] * len(rows), objects=rows.astype(object))
def whole(human, model): return float(np.abs(human - model).max())
def resampled(human, model, counts):
    fault("resampled")
    return changed("resampled", np.zeros(len(counts)), few=np.zeros(3), nothing=None)
def squares(human, model):
    fault("squared")
    rows = np.linspace(0.1, 0.2, len(human) + 1)
    return changed("squared", rows, three=rows[:3], text="wide", nan=rows * np.nan)

def lines(board, out):
    fault("reporter")
    if FAULT == "closes in reporter": out.close()
def part(report):
    fault("section")
    return changed("section", None, text="<p>")

class Place:
    def __init__(self, options): fault("executor")
    def run(self, model, groups, answering):
        fault("run")
        model.open()
        for result in getattr(model, answering)(groups):
            yield changed("run", result, text="done")
            if FAULT == "twice from run": yield result
            if FAULT == "short from run": return

@click.command()
def command():
    fault("command")
    click.echo("done")
'''

EVAL = ("eval", "--task", "nli-sample", "--limit", "4", "--store", "s.db", "--format", "json")
BACKEND = (*EVAL, "--backend", "faulty:m", "--strategy", "no-explanation", "--transform", "softmax")
WAY = (*EVAL, "--backend", "faulty:m", "--strategy", "faulty-way", "--transform", "softmax")
WORDS = (*EVAL, "--backend", "faulty:m", "--strategy", "faulty-words")
FORM = (*EVAL, "--backend", "faulty:m", "--strategy", "no-explanation", "--transform", "faulty-form")
PLACE = (*BACKEND, "--executor", "faulty-place")
MADE = "backend 'faulty' of the plugin "
KEPT = "answers so far are in the store, and the same command resumes"

ENDS = {
    **{f"{how} in {where}": (BACKEND, f"failed in '{where}'")
       for how in ("raises", "exits", "stops", "context") for where in ("describe", "environment", "render", "encode", "open", "score")},
    "groups in score": (BACKEND, "failed in 'score': ExceptionGroup: both"),
    "strange in score": (BACKEND, "failed in 'score': Strange"),
    "raises in backend": (BACKEND, "failed in 'Backend': ZeroDivisionError: oh no"),
    "nothing from describe": (BACKEND, "in 'describe': it gives nothing, not a mapping"),
    "objects from describe": (BACKEND, "in 'describe': what it gives is not JSON data"),
    "nan from describe": (BACKEND, "in 'describe': what it gives is not JSON data"),
    "nothing from environment": (BACKEND, "in 'environment': it gives nothing"),
    "few from render": (BACKEND, "in 'render': it gives list, not a text for each of"),
    "numbers from render": (BACKEND, "in 'render': it gives list, not a text for each of"),
    "few from encode": (BACKEND, "in 'encode': it gives list, not token ids for each of"),
    "words from encode": (BACKEND, "in 'encode': token ids are not whole numbers"),
    "nothing from score": (BACKEND, "failed in 'score': TypeError"),
    "none from score": (BACKEND, "in 'score': it gives nothing, not OptionScores or ScoringFailure"),
    "text from score": (BACKEND, "in 'score': it gives str"),
    "pair from score": (BACKEND, "in 'score': it gives tuple"),
    "texts from score": (BACKEND, "in 'score': it gives GeneratedTexts"),
    "other from score": (BACKEND, "in 'score': an answer for 'nobody', which was not asked"),
    "number from score": (BACKEND, "in 'score': an answer for 7, which was not asked"),
    "wide from score": (BACKEND, "have the shape (6, 7), not (6, 3)"),
    "flat from score": (BACKEND, "have the shape (3,), not (prompts, labels)"),
    "complex from score": (BACKEND, "are no real numbers, but of the type complex128"),
    "objects from score": (BACKEND, "are no real numbers, but of the type object"),
    "kind from score": (BACKEND, "are of the kind 'odds'"),
    "censored from score": (BACKEND, "the type float64, not (prompts, labels) and bool"),
    "twice from score": (BACKEND, "is answered already"),
    "short from score": (BACKEND, "gave no answer for 'sample-03'"),
    "raises in generate": (WORDS, "failed in 'generate'"),
    "few from generate": (WORDS, "1 texts for the 2 prompts of"),
    "scores from generate": (WORDS, "in 'generate': it gives OptionScores"),
    "numbers from generate": (WORDS, "are no tuple of str"),
    "marks from generate": (WORDS, "are no tuple of bool"),
    "exits in task": ((*EVAL[:2], "faulty-task", *EVAL[3:], "--backend", "baseline:uniform"), "failed in 'task'"),
    "nothing from task": ((*EVAL[:2], "faulty-task", *EVAL[3:], "--backend", "baseline:uniform"), "gives no TaskDefinition"),
    "raises in strategy": (WAY, "failed in 'Way'"),
    "exits in check": (WAY, "failed in 'check': it ends the program (SystemExit: 0)"),
    "raises in group": (WAY, "failed in 'group'"),
    "none from group": (WAY, "has no prompts"),
    "nothing from group": (WAY, "it gives nothing, not PromptGroup"),
    "prompts from group": (WAY, "it gives tuple, not PromptGroup"),
    "doubled from group": (WAY, "are (0, 0, 1): no order of 3 labels"),
    "short from group": (WAY, "are (0, 1): no order of 3 labels"),
    "large from group": (WAY, "are (0, 1, 3): no order of 3 labels"),
    "lists from group": (WAY, "are [0, 1, 2]: no order of 3 labels"),
    "absent from group": (WAY, "names explanations that the item does not have"),
    "role from group": (WAY, "has the role 'wizard'"),
    "number from group": (WAY, "or no text"),
    "other from group": (WAY, "is named 'nobody'"),
    "endless from group": (WAY, "texts cannot be written with"),
    "nonsense from ends_in": (WORDS, "in 'ends_in': it is 'tears'"),
    "raises in follow": (WORDS, "failed in 'follow'"),
    "nothing from follow": (WORDS, "it gives nothing, not PromptGroup"),
    "few from follow": (WORDS, "the shape of what was read is (1, 3), not (2, 3)"),
    "sums from follow": (WORDS, "the probabilities of a row sum to 3"),
    "negative from follow": (WORDS, "a probability is -1"),
    "nan from follow": (WORDS, "a probability is nan"),
    "other from follow": (WORDS, "is named 'nobody'"),
    "raises in transform": (FORM, "failed in 'form'"),
    "nothing from transform": (FORM, "it gives nothing, which cannot be called"),
    "raises in reporter": ((*EVAL[:-1], "faulty-lines", "--backend", "baseline:uniform"), "failed in 'lines'"),
    "exits in executor": (PLACE, "failed in 'Place'"),
    "exits in run": (PLACE, "failed in 'run': it ends the program"),
    "text from run": (PLACE, "in 'run': it gives str"),
    "twice from run": (PLACE, "which it was not asked, or asked no more"),
    "short from run": (PLACE, "gave no answer for"),
    "raises in command": (("faulty-command",), "command 'faulty-command' of the plugin"),
}  # fmt: skip


@pytest.fixture
def faulty(tmp_path):
    """Runs the program with the plugin, its switch at a fault."""
    path = tmp_path / "faulty_parts.py"

    def call(fault, *words):
        path.write_text(textwrap.dedent(PLUGIN).replace('FAULT = "none"', f"FAULT = {fault!r}"))
        return judgeharness("--plugin", path, *words)

    yield call
    sys.modules.pop("faulty_parts", None)


def scored(path):
    import sqlite3

    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT count(*) FROM scores").fetchone()[0]


@pytest.mark.parametrize("fault", ENDS)
def test_what_a_plugin_does_wrong_is_said_in_two_lines(faulty, fault, tmp_path):
    words, said = ENDS[fault]
    result = faulty(fault, *words)
    assert result.code == 1, result.err
    assert result.out == ""
    assert "Traceback" not in result.err
    (place,) = [n for n, line in enumerate(result.err.splitlines()) if line.startswith("error: ")]
    error, *hint = result.err.splitlines()[place:]
    assert said in error
    assert "of the plugin " in error
    assert "faulty_parts.py" in error
    assert len(hint) <= 1
    if " score" in fault and fault not in ("nothing from score",):
        assert MADE in error
        assert KEPT in hint[0]
        assert scored(tmp_path / "s.db") >= 1
        again = faulty("none", *words)
        assert (again.code, scored(tmp_path / "s.db")) == (0, 4)


ITEMS = {
    "nan from score": (BACKEND, "its scores are not all finite"),
    "infinite from score": (BACKEND, "its scores are not all finite"),
    "certain from score": (BACKEND, "probabilities that sum to 2.6"),
    "mass from score": (BACKEND, "hold together is 2"),
}


@pytest.mark.parametrize("fault", ITEMS)
def test_what_is_wrong_of_one_item_fails_that_item(faulty, fault, tmp_path):
    words, said = ITEMS[fault]
    result = faulty(fault, *words)
    assert result.code == 1
    (run,) = json.loads(result.out)["runs"]
    assert (run["n_failed"], run["n_items"]) == (1, 4)
    shown = judgeharness("show", run["id"], "sample-02", "--store", tmp_path / "s.db")
    assert said in " ".join(shown.out.split())


TRANSFORMS = {
    "raises in transforming": "failed in 'transforming': ZeroDivisionError",
    "exits in transforming": "failed in 'transforming': it ends the program",
    "nothing from transforming": "no real numbers",
    "flat from transforming": "the shape is (3,), not (6, 3)",
    "nan from transforming": "a probability is nan",
    "sums from transforming": "sum to 0.5",
    "negative from transforming": "a probability is -0.33",
    "complex from transforming": "no real numbers, but of the type complex128",
    "text from transforming": "no real numbers",
}


@pytest.mark.parametrize("fault", TRANSFORMS)
def test_a_transform_that_fails_leaves_the_others_and_the_answers(faulty, fault, tmp_path):
    result = faulty(fault, *FORM, "--transform", "softmax")
    assert result.code == 1
    failed = {run["transform"]: run["n_failed"] for run in json.loads(result.out)["runs"]}
    assert failed == {"faulty-form": 4, "softmax": 0}
    (run,) = [each["id"] for each in json.loads(result.out)["runs"] if each["n_failed"]]
    shown = " ".join(judgeharness("show", run, "sample-02", "--store", tmp_path / "s.db").out.split())
    assert "transform 'faulty-form' of the plugin" in shown
    assert TRANSFORMS[fault] in shown
    assert scored(tmp_path / "s.db") == 4


def test_lists_are_taken_for_arrays(faulty):
    result = faulty("lists from transforming", *FORM)
    assert result.code == 0, result.err


METRICS = {
    "raises in metric": ("faulty-gap", "value", "failed in 'gap': ZeroDivisionError: oh no"),
    "exits in metric": ("faulty-gap", "value", "failed in 'gap': it ends the program (SystemExit: 0)"),
    "nothing from metric": ("faulty-gap", "value", "gives nothing usable"),
    "nan from metric": ("faulty-gap", "value", "gives nan for 12 of 12 items"),
    "infinite from metric": ("faulty-gap", "value", "gives inf for 12 of 12 items"),
    "complex from metric": ("faulty-gap", "value", "no real numbers, but of the type complex128"),
    "text from metric": ("faulty-gap", "value", "gives nothing usable"),
    "words from metric": ("faulty-gap", "value", "gives nothing usable"),
    "objects from metric": ("faulty-gap", "value", "gives nothing usable"),
    "table from metric": ("faulty-gap", "value", "gives the shape (12, 3), not (12,)"),
    "raises in resampled": ("faulty-whole", "interval", "failed in 'resampled'"),
    "few from resampled": ("faulty-whole", "interval", "gives the shape (3,), not (12,)"),
    "exits in squared": ("faulty-squares", "interval", "failed in 'squares'"),
    "three from squared": ("faulty-squares", "interval", "gives the shape (3,), not (13,)"),
    "text from squared": ("faulty-squares", "interval", "gives nothing usable"),
    "nan from squared": ("faulty-squares", "interval", "is not finite without each of the items"),
}


@pytest.mark.parametrize("fault", METRICS)
def test_a_metric_without_a_value_is_named_under_the_board(faulty, fault):
    name, lacking, said = METRICS[fault]
    words = ("--task", "nli-sample", "--limit", "12", "--backend", "baseline:explanations", "--store", "s.db")
    result = faulty(fault, "eval", *words, "--metric", name, "--format", "json")
    assert result.code == 1, result.err
    (run,) = json.loads(result.out)["runs"]
    assert (run["metrics"][name] is None) == (lacking == "value")
    assert run["intervals"][name] is None
    assert said in run["metric_faults"][name]
    assert run["metrics"]["jsd"] is not None
    assert run["intervals"]["jsd"] is not None
    board = " ".join(faulty(fault, "leaderboard", "--metric", name, "--store", "s.db").out.split())
    assert f"no {lacking} for 1 of 1 runs: metric '{name}' of the plugin" in board
    assert said in board


def test_a_section_that_fails_is_named(faulty):
    assert faulty("none", *EVAL, "--backend", "baseline:uniform").code == 0
    for fault, said in (
        ("raises in section", "failed in 'part'"),
        ("text from section", "it gives str, not a Section"),
    ):
        result = faulty(fault, "report", "--store", "s.db", "-o", "page.html")
        assert result.code == 1
        assert "section 'faulty-part' of the plugin" in result.err
        assert said in result.err


@pytest.mark.parametrize("fault", ["raises in close", "exits in close", "stops in close"])
def test_a_model_that_cannot_be_closed_loses_nothing(faulty, fault, caplog):
    result = faulty(fault, *BACKEND)
    assert result.code == 0, result.err
    assert json.loads(result.out)["runs"][0]["n_failed"] == 0
    assert "backend 'faulty' of the plugin" in caplog.text
    assert "failed in 'close'" in caplog.text
    assert "nothing is lost" in caplog.text


def test_an_executor_that_is_sound_works_through_the_wall(faulty):
    result = faulty("none", *PLACE)
    assert result.code == 0, result.err


def test_a_command_may_end_the_program_as_it_likes(faulty):
    assert faulty("none", "faulty-command").out == "done\n"
    assert faulty("exits in command", "faulty-command").code == 0
    assert faulty("context in command", "faulty-command").code == 0


def test_debug_shows_what_the_plugin_raised(faulty):
    with pytest.raises(Exception, match="failed in 'score'") as caught:
        faulty("raises in score", "--debug", *BACKEND)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize("fault", ["exits in open", "exits in metric", "closes in reporter"])
def test_the_process_ends_with_the_right_code(fault, tmp_path):
    path = tmp_path / "faulty_parts.py"
    path.write_text(textwrap.dedent(PLUGIN).replace('FAULT = "none"', f"FAULT = {fault!r}"))
    words = {
        "exits in open": BACKEND,
        "exits in metric": (*EVAL[:-2], "--backend", "baseline:uniform", "--metric", "faulty-gap"),
        "closes in reporter": (*EVAL[:-1], "faulty-lines", "--backend", "baseline:uniform"),
    }[fault]
    done = subprocess.run(
        [sys.executable, "-m", "judgeharness", "--plugin", path, *words],
        capture_output=True, text=True, env={**os.environ, "COLUMNS": "400"}, cwd=tmp_path, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if fault == "closes in reporter" else 1), done.stderr
    if fault == "exits in open":
        assert "failed in 'open': it ends the program (SystemExit: 0)" in done.stderr
    if fault == "exits in metric":
        assert "metric 'faulty-gap' of the plugin" in done.stdout
