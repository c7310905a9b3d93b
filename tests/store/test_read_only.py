"""Stores where nothing can be written: read as they are, and never called damaged."""

import shutil
import sqlite3
import subprocess
import sys

import pytest

from judgeharness.store.schema import APPLICATION_ID, MIGRATIONS
from tests.helpers import judgeharness
from tests.worlds import READ_ONLY, in_world, leftovers, program, require_worlds

BOTH = ("--backend", "baseline:uniform", "--backend", "baseline:human")
EVAL = ("eval", "--task", "nli-sample", *BOTH, "--format", "json")
KILLED = """
import os, sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("DELETE FROM metrics")
connection.commit()
os._exit(0)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "s.db"
    assert judgeharness(*EVAL, "--store", path).code == 0
    return path


@pytest.fixture
def folder(whole, tmp_path):
    require_worlds(tmp_path)
    folder = tmp_path / "read-only"
    folder.mkdir()
    shutil.copy(whole, folder / "s.db")
    return folder


def read_only(folder, *words):
    return in_world(READ_ONLY, folder, program(*words), cwd=folder.parent)


def test_commands_that_read_need_no_write_access(folder, tmp_path):
    outside = judgeharness("leaderboard", "--store", folder / "s.db", "--format", "json").out
    store = ("--store", folder / "s.db")
    for words in (
        ("leaderboard", *store, "--format", "json"),
        ("store", "check", *store),
        ("store", "backup", *store, "--to", tmp_path / "copy.db"),
        ("merge", folder / "s.db", "--store", tmp_path / "merged.db"),
        ("store", "rescue", *store, "--to", tmp_path / "rescued.db"),
    ):
        done = read_only(folder, *words)
        assert (done.returncode, done.stderr) == (0, "")
        assert words[0] != "leaderboard" or done.stdout == outside
    for name in ("copy", "merged", "rescued"):
        assert judgeharness("leaderboard", "--store", tmp_path / f"{name}.db", "--format", "json").out == outside
    assert sorted(path.name for path in folder.iterdir()) == ["s.db"]
    assert leftovers(tmp_path) == []


def test_commands_that_write_say_why_they_cannot(folder):
    for words in (EVAL, ("merge", folder.parent / "read-only" / "s.db")):
        for name in ("s.db", "new.db"):
            done = read_only(folder, *words, "--store", folder / name)
            if words[0] == "merge" and name == "s.db":
                assert "cannot be merged with itself" in done.stderr
                continue
            assert done.returncode == 1
            assert done.stderr.splitlines()[0].endswith(f"the folder {folder} is read-only")
            assert len(done.stderr.splitlines()) <= 2
            assert "damaged" not in done.stderr


def test_a_log_that_cannot_be_read_there_is_named(folder):
    subprocess.run([sys.executable, "-c", KILLED, folder / "s.db"], check=True)
    assert (folder / "s.db-wal").stat().st_size
    (folder / "s.db-shm").unlink()
    done = read_only(folder, "leaderboard", "--store", folder / "s.db")
    assert done.returncode == 1
    assert "a part of it is in s.db-wal" in done.stderr
    assert "copy both files to another folder" in done.stderr
    for name in ("s.db", "s.db-wal"):
        shutil.copy(folder / name, folder.parent)
    assert judgeharness("store", "check", "--store", folder.parent / "s.db").code == 0


def test_a_store_in_use_is_read_too(folder):
    with sqlite3.connect(folder / "s.db") as writer:
        writer.execute("UPDATE sessions SET ended = 'now'")
        writer.commit()
        assert (folder / "s.db-wal").stat().st_size
        done = read_only(folder, "leaderboard", "--store", folder / "s.db")
        assert (done.returncode, done.stderr) == (0, "")
    writer.close()


def test_an_older_store_is_not_called_damaged(folder):
    connection = sqlite3.connect(folder / "old.db", isolation_level=None)
    for statement in MIGRATIONS[0].split(";\n"):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 1")
    connection.close()
    done = read_only(folder, "leaderboard", "--store", folder / "old.db")
    assert done.returncode == 1
    assert "older judgeharness" in done.stderr
    assert "copy it to a folder that can be written to" in done.stderr
