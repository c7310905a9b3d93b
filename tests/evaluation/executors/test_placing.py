"""Executors whose models are elsewhere: how they are described, told to, shown, and named on the command line."""

import json

import pytest

from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.reports import progress
from judgeharness.reports.progress import ConsoleWatcher
from tests.helpers import judgeharness

PLUGIN = """
from judgeharness import hookimpl
from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.evaluation.executors.local import Local
from judgeharness.plugins.options import NoOptions, Options
from judgeharness.plugins.specs import BackendSpec, ExecutorSpec, Flag
from judgeharness.testing.pretend import PretendModel

SAID = []

class ElsewhereOptions(Options):
    where: str = "there"

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="mine", summary="mine", target="placing_plugin:make",
                        options="placing_plugin:MineOptions")]

@hookimpl
def judgeharness_executors():
    return [ExecutorSpec(name="elsewhere", summary="elsewhere", target="placing_plugin:Elsewhere",
                         options="placing_plugin:ElsewhereOptions",
                         flags=(Flag("where", "where", "PLACE", "Where it is."),
                                Flag("limit", "where", "X", "Taken.")))]

class MineOptions(Options):
    colour: str = "red"

def make(model, options, context): return PretendModel()

class Elsewhere(Local):
    def __init__(self, options):
        self.where = options.where
    def place(self, model, recipe, notify):
        SAID.append((recipe.backend, dict(recipe.values), recipe.plugins))
        notify(f"placed {self.where}")
        return StandIn(model, self.where)

class StandIn:
    def __init__(self, model, where):
        self.model, self.where = model, where
    def describe(self): return {"backend": "mine", "where": self.where}
    def environment(self): return {"rack": 7}
    def render(self, group): return self.model.render(group)
    def encode(self, group): return self.model.encode(group)
    def open(self): SAID.append("open"); self.model.open()
    def close(self): SAID.append("close"); self.model.close()
    def score(self, groups): return self.model.score(groups)
    def workers(self): return [WorkerRate("left", 6, 2.0), WorkerRate("right", 3, 0.0)]
"""


@pytest.fixture
def placing(tmp_path, monkeypatch):
    path = tmp_path / "placing_plugin.py"
    path.write_text(PLUGIN)

    def run(*words):
        asked = ("eval", "--task", "nli-sample", "--limit", "2", "--strategy", "no-explanation", "--backend", "mine:x")
        return judgeharness(*asked, "--plugin", path, "--store", tmp_path / "s.db", "--format", "json", *words)

    return run


def said():
    import sys

    return sys.modules["placing_plugin"].SAID


def test_answers_are_stored_under_what_the_model_is_there(placing, tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0.0)
    result = placing("--executor", "elsewhere", "--where", "the moon", "-o", "colour=blue")
    assert result.code == 0, result.err
    assert "placed the moon" in result.err
    assert "left: 6 at 3.0/s, right: 3 at 0.0/s" in result.err
    assert said()[0] == ("mine:x", {"colour": "blue"}, (str(tmp_path / "placing_plugin.py"),))
    assert said()[1:] == ["open", "close"]
    run = json.loads(result.out)["runs"][0]
    shown = json.loads(judgeharness("show", run["id"], "--format", "json", "--store", tmp_path / "s.db").out)
    assert (shown["backend"]["where"], shown["record"]["environment"]) == ("the moon", {"rack": 7})
    # Elsewhere it is another model; there, nothing is asked again.
    assert json.loads(placing("--executor", "elsewhere").out)["runs"][0]["id"] != run["id"]
    again = placing("--executor", "elsewhere", "--where", "the moon")
    assert json.loads(again.out)["runs"][0]["id"] == run["id"]
    assert "prompts to do" not in again.err


def test_what_was_placed_is_closed_where_the_rest_fails(placing):
    result = placing("--executor", "elsewhere", "--backend", "hf:./absent.gguf")
    assert result.code == 2
    assert "absent.gguf" in result.err
    assert said()[-1] == "close"


def test_flags_are_for_their_executor_and_take_no_others_place(placing):
    result = placing("--where", "the moon")
    assert result.code == 2
    assert "unknown option 'where'" in result.err
    shown = judgeharness("eval", "--help", "--plugin", "placing_plugin.py").out
    assert "--where PLACE" in shown
    assert shown.count("--limit ") == 1


def test_workers_are_shown_below_the_bar(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    watcher = ConsoleWatcher()
    watcher.started("a task", 10)
    watcher.advanced(4)
    watcher.spread([WorkerRate("host \x1b[31m", 4, 2.0)])
    watcher.finished()
    shown = capsys.readouterr().err
    assert "host \\x1b[31m: 4 at 2.0/s" in shown
