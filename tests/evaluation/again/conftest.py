"""A store with a run of a pretend model, and what it takes to make it again."""

import pytest

from judgeharness.evaluation.evaluation import Evaluation
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.workspace import Workspace

PLUGIN = """
from judgeharness.plugin import BackendSpec, hookimpl
from judgeharness.testing.pretend import PretendModel

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="pretend", summary="made up", target="pretend:make")]

def make(model, options, context):
    return PretendModel()
"""


@pytest.fixture
def pretend(tmp_path):
    """A workspace, and a function that evaluates in it: the runs of some strategies on three items."""
    (tmp_path / "pretend.py").write_text(PLUGIN)
    workspace = Workspace([str(tmp_path / "pretend.py")], store=tmp_path / "s.db")

    def evaluate(*strategies, **more):
        own = {"backends": ("pretend:x",), "transforms": ("softmax",), "limit": 3, "values": {}}
        request = Request(tasks=("nli-sample",), strategies=strategies, **{**own, **more})
        evaluation = Evaluation(request, workspace)
        evaluation.prepare()
        with workspace.open_store(create=True) as store:
            return evaluation.run(store)

    return workspace, evaluate
