"""A request is declared once: what is forgotten in the command, the API, suites, records or reports shows here."""

import inspect
import shlex
from dataclasses import fields

import pytest

import judgeharness
from judgeharness.backends.contract import Budget
from judgeharness.cli.eval import command
from judgeharness.evaluation.again.origin import command_for, request_for
from judgeharness.evaluation.evaluation import Evaluation
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.shards import Shard
from judgeharness.evaluation.suites import EvaluationTable, Suite
from judgeharness.evaluation.workspace import Workspace

OF_RUNS = [each for each in fields(Request) if each.metadata["of"] == "run"]


def named(what):
    return {name for each in fields(Request) for name in each.metadata[what]}


def test_the_command_has_every_option():
    own = {name for parameter in command.params for name in parameter.opts}
    assert own - {"--format", "--store", "--data-dir", "--plugin", "--debug"} == named("options")


def test_the_api_has_every_argument():
    own = set(inspect.signature(judgeharness.evaluate).parameters)
    # A part of the items makes no run.
    assert own - {"data_dir", "store", "plugins", "progress"} == named("arguments")


def test_suites_have_everything_that_runs_depend_on():
    known = {*EvaluationTable.model_fields, *Suite.model_fields}
    assert {"options" if each.name == "values" else each.name for each in OF_RUNS} <= known


@pytest.fixture
def everything(tmp_path):
    """A request in which every part that runs depend on is another one than by default."""
    (tmp_path / "pretend.py").write_text(
        "from judgeharness.plugin import BackendSpec, hookimpl\n"
        "from judgeharness.testing.pretend import PretendModel\n"
        "@hookimpl\ndef judgeharness_backends():\n"
        "    return [BackendSpec(name='pretend', summary='made up', target='pretend:make')]\n"
        "def make(model, options, context): return PretendModel()\n"
    )
    given = '{"uid": "sample-01", "explanations": [{"text": "since it is so", "label": "neutral"}]}\n'
    (tmp_path / "why.jsonl").write_text(given)
    return Request(
        tasks=("nli-sample",),
        backends=("pretend:x",),
        strategies=("parallel",),
        transforms=("softmax",),
        metrics=("kl-smoothed",),
        temperature=3.5,
        values={"option_orders": "cyclic"},
        limit=1,
        split=None,
        explanations="why.jsonl",
        executor="local",
        shard=None,
        budget=Budget(),
    )


def test_a_record_and_a_command_line_have_everything_that_runs_depend_on(everything, tmp_path):
    workspace = Workspace(["pretend.py"], store=tmp_path / "s.db")
    evaluation = Evaluation(everything, workspace)
    evaluation.prepare()
    with workspace.open_store(create=True) as store:
        (run,) = evaluation.run(store)
        again = request_for(run, store).request
    for each in OF_RUNS:
        then, now = getattr(everything, each.name), getattr(again, each.name)
        if each.name not in {"split", "explanations"}:
            assert then != each.default, each.name
            assert now == then, each.name
    assert again.split == run.split
    assert again.explanations == run.record.explanations.set
    program, verb, *words = shlex.split(command_for(again))
    assert (program, verb) == ("judgeharness", "eval")
    with command.make_context("eval", words, obj=workspace) as context:
        given = context.params
    assert given["pairs"] == ("option_orders=cyclic",)
    for each in OF_RUNS:
        if each.name not in {"values", "split"}:
            assert given[each.name] == getattr(again, each.name), each.name


def test_a_command_line_leaves_out_what_belongs_to_a_call():
    request = Request(
        tasks=("a b",), backends=("x:y",), values={}, shard=Shard(1, 2), budget=Budget(5), executor="ray", split="all"
    )
    assert command_for(request) == "judgeharness eval --task 'a b' --backend x:y"
