"""What a call needs from its surroundings, opened when it is needed."""

import subprocess
import sys

import pytest

from judgeharness.domain.errors import InputError
from judgeharness.evaluation.workspace import Workspace
from tests.helpers import judgeharness


def test_importing_it_imports_nothing_heavy():
    code = (
        "import judgeharness.evaluation.workspace, sys;"
        "assert not {'numpy', 'pydantic', 'rich', 'sqlite3', 'platformdirs'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_plugins_that_fail_are_warned_about_once(tmp_path):
    (tmp_path / "broken.py").write_text("1 / 0")
    said = []
    workspace = Workspace(["broken.py"], warn=said.append)
    assert workspace.registry is workspace.registry
    workspace.add_plugins(["broken.py", "no:judgeharness.metrics"])
    assert not workspace.registry.metrics.names()
    assert len(said) == 1
    assert "plugin 'broken' could not be loaded: ZeroDivisionError" in said[0]


def test_data_and_store_are_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("JUDGEHARNESS_STORE", "theirs.db")
    monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(tmp_path / "theirs"))
    assert Workspace().store_path.name == "theirs.db"
    assert Workspace().folders.own == tmp_path / "theirs"
    workspace = Workspace(data_dir=tmp_path, store=tmp_path / "mine.db")
    assert workspace.store_path == tmp_path / "mine.db"
    assert workspace.folders.own == tmp_path
    assert len(workspace.task("nli-sample", limit=2).items) == 2


def test_a_run_finds_its_task_again(tmp_path):
    store = tmp_path / "s.db"
    words = ("--task", "nli-sample", "--limit", "2", "--backend", "baseline:uniform")
    assert judgeharness("eval", *words, "--store", store).code == 0
    workspace = Workspace(store=store)
    with workspace.open_store() as opened:
        (run,) = opened.runs.all()
    assert workspace.task_of(run).name == "nli-sample"
    with pytest.raises(InputError, match="no store there"):
        Workspace(store=tmp_path / "absent.db").open_store()


def test_explanations_are_the_tasks_own_a_file_or_a_set(tmp_path):
    workspace = Workspace(store=tmp_path / "s.db")
    assert workspace.explanations("human") is None
    (tmp_path / "why.jsonl").write_text('{"uid": "a", "explanations": [{"text": "x", "label": "neutral"}]}\n')
    assert workspace.explanations("why.jsonl").count == 1
    with pytest.raises(InputError, match="no store there"):
        workspace.explanations("4d23b6e797ba")
