"""Commands that write: through links, over regular files only, whole or not at all, and under any name."""

import json
import os
import stat
import subprocess
from pathlib import Path

import pytest

from judgeharness.store.check import problems
from tests.helpers import judgeharness
from tests.worlds import leftovers, program

PRETEND = """
from judgeharness import hookimpl
from judgeharness.plugins.specs import BackendSpec
from judgeharness.testing.pretend import PretendModel

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="pretend", summary="made up", target=f"{__name__}:Pretend")]

class Pretend(PretendModel):
    def __init__(self, model, options, context): pass
"""
SUITE = """
name = "mine"
title = "Mine"
[[evaluations]]
tasks = ["nli-sample"]
backends = ["baseline:uniform"]
"""
EXPLAIN = ("explain", "--task", "nli-sample", "--backend", "pretend:x", "--plugin", "pretend.py", "--limit", "2")
FILES = {
    "report": ("report", "--store", "S", "--no-text", "-o"),
    "plot": ("plot", "ternary", "RUN", "--store", "S", "--out"),
    "explain": (*EXPLAIN, "--store", "E", "--out"),
}
STORES = {
    "backup": ("store", "backup", "--store", "S", "--to"),
    "rescue": ("store", "rescue", "--store", "S", "--to"),
    "rerun": ("rerun", "RUN", "--store", "S", "--into"),
    "merge": ("merge", "S", "--store"),
}
FOLDERS = {
    "export": ("export", "RUN", "--task", "nli-sample", "--store", "S", "--out"),
    "run": ("run", "suite.toml", "--store", "S", "--report"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("writing")
    (folder / "pretend.py").write_text(PRETEND)
    (folder / "suite.toml").write_text(SUITE)
    words = ("--task", "nli-sample", "--backend", "baseline:uniform", "--format", "json")
    done = judgeharness("eval", *words, "--store", folder / "S")
    return folder, json.loads(done.out)["runs"][0]["id"]


@pytest.fixture
def world(made, monkeypatch):
    folder, run = made
    monkeypatch.chdir(folder)
    before = set(folder.iterdir())
    yield lambda words, *more: judgeharness(*(run if word == "RUN" else word for word in words), *more)
    for path in set(folder.iterdir()) - before - {folder / "E", folder / "E-wal", folder / "E-shm"}:
        if path.is_dir() and not path.is_symlink():
            for each in path.iterdir():
                each.unlink()
            path.rmdir()
        else:
            path.unlink()


@pytest.mark.parametrize("words", [*FILES.values(), *STORES.values()], ids=[*FILES, *STORES])
def test_nothing_but_a_file_is_replaced(world, words):
    os.mkfifo("pipe.png")
    Path("folder.png").mkdir()
    Path("link.png").symlink_to("/dev/full")
    for name in ("/dev/full", "pipe.png", "folder.png", "link.png", "/dev/stdout", "no/where.png"):
        result = world(words, name)
        assert result.code == 2, result.err
        assert len(result.err.splitlines()) <= 2
        assert name in result.err
    assert stat.S_ISFIFO(Path("pipe.png").stat().st_mode)
    assert Path("link.png").readlink() == Path("/dev/full")
    assert leftovers(".") == []


@pytest.mark.parametrize("words", FOLDERS.values(), ids=FOLDERS)
def test_nothing_but_files_are_replaced_in_folders(world, words):
    Path("out").mkdir()
    for name in ("report.md", "all.jsonl"):
        Path(f"out/{name}").symlink_to("/dev/full")
    result = world(words, "out")
    assert result.code == 2, result.err
    assert "is a device, not a file" in result.err
    assert Path("out/report.md").readlink() == Path("/dev/full")
    for name in ("S", "/dev/null/x", "S/x"):
        result = world(words, name)
        assert result.code == 2, result.err
        assert len(result.err.splitlines()) <= 2


@pytest.mark.parametrize("words", FILES.values(), ids=FILES)
def test_links_are_written_through(world, words):
    Path("elsewhere").mkdir()
    Path("link.svg").symlink_to("elsewhere/new.svg")
    for _ in range(2):
        result = world(words, "link.svg")
        assert result.code == 0, result.err
        assert Path("link.svg").readlink() == Path("elsewhere/new.svg")
        assert Path("elsewhere/new.svg").stat().st_size > 100
        assert list(Path("elsewhere").iterdir()) == [Path("elsewhere/new.svg")]


@pytest.mark.parametrize("length", [248, 255])
@pytest.mark.parametrize("words", FILES.values(), ids=FILES)
def test_files_have_names_of_any_length(world, words, length):
    result = world(words, "n" * (length - 4) + ".svg")
    assert result.code == 0, result.err
    assert leftovers(".") == []


@pytest.mark.parametrize("words", STORES.values(), ids=STORES)
def test_stores_have_names_that_sqlite_takes(world, words):
    for length, said in ((247, ""), (248, "too long"), (255, "too long"), (256, "too long")):
        name = "n" * length
        result = world(words, name)
        assert said in result.err
        assert os.path.lexists(name) == (not said)
        assert result.code == (2 if said else 0), result.err
        if not said:
            assert problems(Path(name)) == []
            read = judgeharness("leaderboard", "--store", name)
            assert read.code == 0, read.err
    assert leftovers(".") == []


def test_what_is_there_is_no_place_for_a_new_store(world):
    for name in ("backup", "rescue", "rerun"):
        result = world(STORES[name], "suite.toml")
        assert result.code == 2
        assert "already exists" in result.err


def test_nothing_is_left_of_what_fails(world):
    result = world(("merge", "S", "suite.toml", "--store"), "new.db")
    assert result.code == 2
    result = world(("rerun", "RUN", "--store", "S", "--data-dir", "nowhere", "--split", "x", "--into"), "new.db")
    assert result.code == 2
    assert not os.path.lexists("new.db")
    assert leftovers(".") == []


def test_a_task_and_a_plugin_are_written_whole(world, tmp_path, monkeypatch):
    name = "n" * 249
    item = {"uid": "a", "text": "x", "votes": {"yes": 1, "no": 2}}
    (tmp_path / f"{name}.jsonl").write_text(json.dumps(item) + "\n")
    monkeypatch.chdir(tmp_path)
    done = judgeharness("new-task", f"{name}.jsonl", "--yes")
    assert done.code == 0, done.err
    # A call that was killed after its first file.
    Path(f"{name}.toml").unlink()
    assert judgeharness("new-task", f"{name}.jsonl", "--yes").code == 0
    Path(f"{name}.toml").unlink()
    (tmp_path / f"{name}.jinja").write_text("mine")
    refused = judgeharness("new-task", f"{name}.jsonl", "--yes")
    assert (refused.code, "already exists" in refused.err) == (2, True)
    assert (tmp_path / f"{name}.jinja").read_text() == "mine"
    assert judgeharness("new-plugin", "my-metric", "--kind", "metric").code == 0
    again = judgeharness("new-plugin", "my-metric", "--kind", "metric")
    assert (again.code, "already exists" in again.err) == (2, True)
    assert leftovers(tmp_path) == []


STOPS = """
import sys
from judgeharness.domain import files
from judgeharness.store import database, upgrading

waited, place = int(sys.stdin.readline()), files.place

def stopping(new, target):
    global waited
    waited -= 1
    if waited == 0:
        print("about to put it in place", flush=True)
        sys.stdin.read()
    place(new, target)

files.place = database.place = upgrading.place = stopping
"""


@pytest.mark.parametrize(
    ("words", "stops", "kept"),
    [
        (("export", "RUN", "--task", "nli-sample", "--store", "S", "--out", "."), 2, ["README.txt", "all.jsonl"]),
        (("report", "--store", "S", "-o", "report.html"), 1, ["report.html"]),
        (("store", "rescue", "--store", "S", "--to", "rescued.db"), 1, []),
    ],
    ids=["export", "report", "rescue"],
)
def test_a_kill_leaves_old_files_and_nothing_that_the_next_call_does_not_remove(made, tmp_path, words, stops, kept):
    folder, run = made
    (tmp_path / "stops.py").write_text(STOPS)
    names = {"RUN": run, "S": str(folder / "S")}
    command = program("--plugin", "stops.py", *(names.get(word, word) for word in words))
    for stop in range(1, stops + 1):
        for name in kept:
            (tmp_path / name).write_text("old")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
        with subprocess.Popen(command, cwd=tmp_path, **pipes) as process:
            process.stdin.write(f"{stop}\n")
            process.stdin.flush()
            said = process.stdout.readline()
            process.kill()
        assert said == "about to put it in place\n"
        new = [name for name in kept if (tmp_path / name).read_text() != "old"]
        assert len(new) == stop - 1
        assert len(leftovers(tmp_path)) >= 2
        assert not (tmp_path / "rescued.db").exists()
    done = subprocess.run(command, cwd=tmp_path, input="0\n", capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert leftovers(tmp_path) == []
    assert all((tmp_path / name).read_text() != "old" for name in kept)


def test_a_store_is_never_replaced_by_what_is_made_of_it(tmp_path):
    store = tmp_path / "s.db"
    asked = ("eval", "--task", "nli-sample", "--limit", "4", "--backend", "baseline:uniform", "--store", store)
    assert judgeharness(*asked).code == 0
    for words in (("report", "-o", store), ("export", "--task", "nli-sample", "--out", store)):
        result = judgeharness(*words, "--store", store)
        assert result.code == 2, words
    assert "is a database" in judgeharness("report", "-o", store, "--store", store).err
    assert judgeharness("leaderboard", "--store", store).code == 0
