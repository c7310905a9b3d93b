"""Output that cannot be shown never undoes the work, and never changes the exit code: in processes of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TASK = """
name = "mine"
title = "Höflichkeit"
notice = "Примечание"
template = "p.jinja"
labels = [{name = "礼貌", text = "有礼"}, {name = "粗鲁", text = "无礼"}]
items = {file = "i.jsonl", votes = "v", fields = {reply = "text"}}
"""
ITEMS = [
    {"uid": "я1", "text": "你好吗 🙂", "v": {"礼貌": 3, "粗鲁": 1}},
    {"uid": "b", "text": "Grüße", "v": {"礼貌": 1, "粗鲁": 3}},
]
LEADERBOARD = ("leaderboard", "--store", "s.db")
EVAL = ("eval", "--task", "task.toml", "--backend", "baseline:uniform", "--store")
NO_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("output")
    (folder / "task.toml").write_text(TASK, encoding="utf-8")
    (folder / "p.jinja").write_text("你 {{ reply }}{% for o in options %} {{ o.text }}{% endfor %}", encoding="utf-8")
    (folder / "i.jsonl").write_text("".join(json.dumps(item) + "\n" for item in ITEMS), encoding="utf-8")
    done = program(folder, *EVAL, "s.db")
    assert done.returncode == 0, done.stderr
    return folder


def program(folder, *words, redirected="", environment=None, stdout=subprocess.PIPE):
    command = [sys.executable, "-m", "judgeharness", *words]
    if redirected:
        command = ["sh", "-c", f'"$@" {redirected}', "sh", *command]
    return subprocess.run(
        command, cwd=folder, stdout=stdout, stderr=subprocess.PIPE, timeout=120, env=os.environ | (environment or {})
    )


def quiet(done):
    return b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr


@pytest.mark.parametrize(
    ("encoding", "environment"),
    [("cp1252", {"PYTHONIOENCODING": "cp1252"}), ("ascii", {"PYTHONIOENCODING": "ascii"}), ("ascii", NO_LOCALE)],
)
def test_what_cannot_be_encoded_is_replaced(folder, tmp_path, encoding, environment):
    for words in (LEADERBOARD, (*EVAL, str(tmp_path / "s.db"))):
        done = program(folder, *words, environment=environment)
        assert (done.returncode, quiet(done)) == (0, True), done.stderr
        assert "note: ??????????" in done.stdout.decode(encoding)
    shown = program(folder, "prompts", "--task", "task.toml", "--strategy", "no-explanation", environment=environment)
    assert shown.returncode == 0
    assert "? Gr" in shown.stdout.decode(encoding)


def test_json_loses_nothing_to_an_encoding(folder):
    done = program(folder, "data", "export", "task.toml", environment={"PYTHONIOENCODING": "cp1252"})
    assert [json.loads(line)["reply"] for line in done.stdout.decode("cp1252").splitlines()] == ["你好吗 🙂", "Grüße"]


@pytest.mark.parametrize("redirected", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_change_nothing(folder, tmp_path, redirected):
    done = program(folder, *EVAL, str(tmp_path / "s.db"), redirected=redirected)
    assert (done.returncode, quiet(done)) == (0, True), done.stderr
    assert program(folder, "leaderboard", "--store", str(tmp_path / "s.db")).returncode == 0
    assert program(folder, "show", "no-such-run", "--store", "s.db", redirected=redirected).returncode == 2


def test_a_reader_that_has_gone_changes_nothing(folder):
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = program(folder, *LEADERBOARD, stdout=writer)
    finally:
        os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_one_error(folder, tmp_path):
    for words in (LEADERBOARD, (*EVAL, str(tmp_path / "s.db")), ("--version",)):
        done = program(folder, *words, redirected="> /dev/full")
        assert done.returncode == 1
        assert done.stderr == b"error: standard output cannot be written to: No space left on device\n"
    assert program(folder, "leaderboard", "--store", str(tmp_path / "s.db")).returncode == 0
    assert program(folder, *LEADERBOARD, redirected="2> /dev/full").returncode == 0


@pytest.mark.parametrize("columns", ["1", "0", "²", "9" * 5000])
def test_terminals_of_any_width(folder, columns):
    done = program(folder, *LEADERBOARD, environment={"COLUMNS": columns})
    assert (done.returncode, quiet(done)) == (0, True), done.stderr
    assert done.stdout.strip()


def test_names_that_are_not_text(folder, tmp_path):
    predictions = folder / os.fsdecode(b"caf\xe9.json")
    predictions.write_text(json.dumps({item["uid"]: [0.5, 0.5] for item in ITEMS}), encoding="utf-8")
    done = program(folder, "score", predictions, "--task", "task.toml", "--store", str(tmp_path / "s.db"))
    assert (done.returncode, quiet(done)) == (0, True), done.stderr
    assert "caf\ufffd.json" in done.stdout.decode()
    missing = program(folder, "show", b"caf\xe9", "--store", "s.db")
    assert missing.returncode == 2
    assert missing.stderr.startswith(b"error: 'caf\\udce9'")
