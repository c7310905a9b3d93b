"""One outside plugin that provides a part of every kind, all of them in one evaluation."""

import textwrap

import pytest

from tests.helpers import judgeharness

PLUGIN = """
from functools import partial
from pathlib import Path

import click
import numpy as np

from judgeharness import hookimpl
from judgeharness.domain.nouns import Message, OptionScores, Prompt, PromptGroup
from judgeharness.plugins.options import Options
from judgeharness.plugins.specs import *
from judgeharness.tasks.definition import read_definition

HERE = __name__ + ":"

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="ours", summary="first letter", target=HERE + "First")]

@hookimpl
def judgeharness_tasks():
    return [TaskSpec(name="ours-task", summary="two labels", target=HERE + "task")]

@hookimpl
def judgeharness_strategies():
    return [StrategySpec(name="ours-once", summary="one prompt", target=HERE + "Once", options=HERE + "OnceOptions")]

@hookimpl
def judgeharness_transforms():
    return [TransformSpec(name="ours-flat", summary="uniform", target=HERE + "flat", options=HERE + "FlatOptions")]

@hookimpl
def judgeharness_metrics():
    return [MetricSpec(name="ours-max", summary="largest gap", target=HERE + "gap", label="Max", direction="lower",
                       unit="probability", range=(0, 1), level="item", source="here")]

@hookimpl
def judgeharness_reporters():
    return [ReporterSpec(name="ours-lines", summary="a line a run", target=HERE + "lines")]

@hookimpl
def judgeharness_executors():
    return [ExecutorSpec(name="ours-backwards", summary="last first", target=HERE + "Backwards",
                         options=HERE + "BackwardsOptions")]

@hookimpl
def judgeharness_commands():
    return [CommandSpec(name="ours-hello", summary="Hello.", target=HERE + "hello")]

class First:
    def __init__(self, model, options, context): pass
    def describe(self): return {"backend": "ours"}
    def environment(self): return {}
    def render(self, group): return None
    def encode(self, group): return None
    def open(self): pass
    def close(self): pass
    def score(self, groups):
        for group in groups:
            scores = np.zeros((len(group.prompts), group.n_options))
            for row, prompt in enumerate(group.prompts): scores[row, prompt.options[0]] = 10
            yield OptionScores(group.uid, scores, "logit")

task = partial(read_definition, Path(__file__).parent / "task.toml")

class OnceOptions(Options):
    word: str = "so"

class Once:
    def __init__(self, options): self.word = options.word
    def check(self, task): pass
    def group(self, item, task):
        turns = (Message("system", self.word), Message("user", item.fields["t"]))
        return PromptGroup(item.uid, (Prompt(turns, (1, 0)),))

class FlatOptions(Options):
    first: float = 0.5

def flat(options): return lambda scores: np.tile([options.first, 1 - options.first], (len(scores.scores), 1))
def gap(human, model): return np.abs(human - model).max(axis=1)

def lines(board, out):
    for run in board.runs: out.write(f"{run.backend} {run.transform} {run.metrics['ours-max']:.2f}\\n")

class BackwardsOptions(Options):
    loud: bool = False

class Backwards:
    def __init__(self, options): self.loud = options.loud
    def run(self, model, groups, answering):
        model.open()
        groups = list(groups)[::-1]
        if self.loud: click.echo("backwards: " + " ".join(group.uid for group in groups), err=True)
        yield from getattr(model, answering)(groups)

@click.command()
def hello(): click.echo("hello")
"""
TASK = """
name = "ours-task"
title = "Ours"
template = "prompt.jinja"
labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]
items = {file = "items.jsonl", votes = "v", fields = {t = "t"}}
"""


@pytest.fixture
def plugin(tmp_path):
    import sys

    (tmp_path / "every_kind.py").write_text(textwrap.dedent(PLUGIN))
    (tmp_path / "task.toml").write_text(TASK)
    (tmp_path / "prompt.jinja").write_text("{{ t }}")
    (tmp_path / "items.jsonl").write_text('{"uid": "a", "t": "x", "v": [3, 1]}\n{"uid": "b", "t": "y", "v": [1, 3]}\n')
    yield tmp_path / "every_kind.py"
    sys.modules.pop("every_kind", None)


def test_a_plugin_of_every_kind(plugin, tmp_path):
    command = [
        "--plugin", plugin, "eval", "--task", "ours-task", "--backend", "ours:x", "--strategy", "ours-once",
        "--transform", "ours-flat", "--transform", "softmax", "--temperature", "1", "--metric", "ours-max",
        "--executor", "ours-backwards", "-o", "loud=yes", "-o", "word=Judge.", "-o", "first=0.9",
        "--format", "ours-lines", "--store", tmp_path / "s.db",
    ]  # fmt: skip
    result = judgeharness(*command)
    assert result.code == 0, result.err
    assert result.out == "ours:x ours-flat 0.40\nours:x softmax 0.50\n"
    assert "backwards: b a" in result.err
    assert "~4" in result.err
    words = ("--task", "ours-task", "--strategy", "ours-once", "--limit", "1", "--format", "jsonl")
    shown = judgeharness("--plugin", plugin, "prompts", *words).out
    assert '"messages": [{"role": "system", "content": "so"}' in shown
    assert judgeharness("--plugin", plugin, "ours-hello").out == "hello\n"
    for kind in ("backends", "tasks", "strategies", "transforms", "metrics", "reporters", "executors", "commands"):
        assert "ours-" in judgeharness("list", kind, "--plugin", plugin).out or kind == "backends"
