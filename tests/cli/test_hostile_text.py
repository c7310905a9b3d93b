"""Escapes and direction marks of plugins, tasks and models, in everything that is shown or written."""

import json
import os
import re
import sqlite3
import subprocess
import sys

import pytest

from tests.helpers import judgeharness
from tests.unfit import HOSTILE, READABLE, unfit

PLUGIN = f"""
from judgeharness.domain.errors import HarnessError
from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import BackendSpec, CommandSpec, MetricSpec

HOSTILE = {HOSTILE!r}
"""
METRIC = "@hookimpl\ndef judgeharness_metrics():\n    return [MetricSpec({})]"
BROKEN = {
    "import": "raise RuntimeError(HOSTILE)",
    "hook": "@hookimpl\ndef judgeharness_metrics():\n    raise SystemExit(HOSTILE)",
    "summary": METRIC.format("name='x', summary=HOSTILE, target='a:b'"),
    "name": METRIC.format("name=HOSTILE, summary='x', target='a:b'"),
    "target": METRIC.format("name='x', summary='x', target=HOSTILE"),
}
BACKEND = """
class Backend:
    def __init__(self, context):
        self.context = context
    def describe(self):
        return {"backend": HOSTILE, HOSTILE: HOSTILE}
    def environment(self):
        return {"warnings": [HOSTILE]}
    def render(self, group):
        return [HOSTILE for each in group.prompts]
    def encode(self, group):
        return None
    def open(self):
        self.context.notify(HOSTILE)
    def score(self, groups):
        raise ERROR(HOSTILE)
    def close(self):
        pass

def backend(model, options, context):
    if model == "opens":
        return Backend(context)
    context.notify(HOSTILE)
    raise ERROR(HOSTILE)

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="bad", summary="x", target="hostile:backend")]
"""
TASK = """
name = "mine"
title = "TITLE"
notice = "TITLE"
homepage = "TITLE"
citation = "TITLE"
template = "p.jinja"
labels = [{name = "TITLE a", text = "TITLE"}, {name = "b", text = "READABLE"}]
items = {file = "i.jsonl", votes = "v", fields = {reply = "text"}}
"""
READ_BACK = {"as it is": READABLE, "in JSON": json.dumps(READABLE)[1:-1]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A task, predictions and a store in which all texts are hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    words = {"TITLE": json.dumps(HOSTILE)[1:-1].replace("\\udb40\\udc41", "\\U000E0041"), "READABLE": READABLE}
    task = re.sub("TITLE|READABLE", lambda found: words[found[0]], TASK)
    (folder / "task.toml").write_text(task, encoding="utf-8")
    (folder / "p.jinja").write_text("{{ reply }}{% for o in options %} {{ o.text }}{% endfor %}", encoding="utf-8")
    items = [
        {"uid": f"{HOSTILE}{n}", "text": f"{HOSTILE} {READABLE}", "v": {f"{HOSTILE} a": 3 - n, "b": n}}
        for n in range(3)
    ]
    (folder / "i.jsonl").write_text("".join(json.dumps(each) + "\n" for each in items), encoding="utf-8")
    rows = {each["uid"]: [0.25 * (n + 1), 1 - 0.25 * (n + 1)] for n, each in enumerate(items)}
    (folder / "predictions.json").write_text(json.dumps(rows), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        for words in (("--backend", "baseline:uniform"), ("--backend", "file:predictions.json")):
            done = judgeharness("eval", "--task", "task.toml", *words, "--store", "s.db")
            assert done.code == 0, (words, done.err)
            assert not unfit(done.out + done.err)
    return folder


def program(folder, *words, **environment):
    command = [sys.executable, "-m", "judgeharness", *map(str, words)]
    done = subprocess.run(command, cwd=folder, capture_output=True, env=os.environ | environment, check=False)
    assert not unfit(done.stdout)
    assert not unfit(done.stderr)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("fault", BROKEN)
def test_a_plugin_that_fails_shows_no_escape(tmp_path, fault):
    (tmp_path / "hostile.py").write_text(f"{PLUGIN}\n{BROKEN[fault]}\n", encoding="utf-8")
    for words in (
        ("plugins",),
        ("plugins", "--format", "json"),
        ("doctor",),
        ("list", "metrics"),
        ("--help",),
        ("--version",),
    ):
        done = judgeharness("--plugin", tmp_path / "hostile.py", *words)
        assert not unfit(done.out)
        assert not unfit(done.err)
        assert "plugin 'hostile' could not be loaded" in done.err


@pytest.mark.parametrize("error", ["HarnessError", "ValueError"])
@pytest.mark.parametrize("model", ["opens", "fails"])
def test_a_backend_that_fails_shows_no_escape(tmp_path, error, model):
    (tmp_path / "hostile.py").write_text(PLUGIN + BACKEND.replace("ERROR", error), encoding="utf-8")
    words = (
        "eval",
        "--task",
        "nli-sample",
        "--limit",
        "1",
        "--backend",
        f"bad:{model}",
        "--strategy",
        "no-explanation",
    )
    code, _, err = program(tmp_path, "--plugin", tmp_path / "hostile.py", *words, "--store", "s.db")
    assert code == 1
    assert "\\x1b[31mred" in err
    traced = program(
        tmp_path, "--debug", "--plugin", tmp_path / "hostile.py", *words, "--store", "s.db", FORCE_COLOR=""
    )
    assert "\\x1b[31mred" in traced[2]


def outputs(folder, *, out):
    """Every command that shows or writes what a task and a store hold, with its words."""
    store = ("--store", "s.db")
    runs = [row[0] for row in sqlite3.connect(folder / "s.db").execute("SELECT id FROM runs ORDER BY created")]
    task = ("--task", "task.toml")
    yield from (
        (*("leaderboard", "--format", form), *store)
        for form in ("table", "csv", "markdown", "latex", "json", "html", "svg")
    )
    yield from (("show", runs[1], *more, *store) for more in ((), ("--format", "json"), (f"{HOSTILE}0",)))
    yield ("prompts", *task, "--strategy", "no-explanation")
    yield ("prompts", *task, "--strategy", "no-explanation", "--format", "jsonl")
    yield ("data", "export", "task.toml")
    yield ("compare", *runs[:2], *store)
    yield ("slices", runs[1], *task, *store)
    yield ("plot", "entropy", *runs[:2], *store)
    yield ("plot", "entropy", *runs[:2], "--out", out / "plot.svg", *store)
    yield ("report", "-o", out / "page.html", *task, *store)
    yield ("export", runs[1], "--out", out / "labels.jsonl", *task, *store)
    yield ("score", "predictions.json", *task)


def test_no_command_shows_or_writes_what_is_not_fit(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(folder)
    readable = 0
    for words in outputs(folder, out=tmp_path):
        done = judgeharness(*words)
        assert done.code == 0, (words, done.err)
        assert not unfit(without_scripts(done.out)), words
        assert not unfit(done.err), words
        readable += any(each in done.out for each in READ_BACK.values())
    assert readable >= 3
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 2
    for path in files:
        assert not unfit(without_scripts(path.read_text(encoding="utf-8"))), path


def without_scripts(page):
    """A page without the scripts that came with judgeharness, which hold what they like."""
    return re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)


def test_json_lines_lose_nothing(folder):
    _, out, _ = program(folder, "data", "export", "task.toml")
    assert json.loads(out.splitlines()[0])["reply"] == f"{HOSTILE} {READABLE}"
    assert json.loads(out.splitlines()[0])["uid"] == f"{HOSTILE}0"


def test_a_terminal_gets_colours_and_nothing_else(folder):
    """rich writes colours where it is told to; what texts bring is still escaped."""
    command = [sys.executable, "-m", "judgeharness", "leaderboard", "--store", "s.db"]
    done = subprocess.run(command, cwd=folder, capture_output=True, env=os.environ | {"FORCE_COLOR": "1"}, check=True)
    assert b"\x1b[" in done.stdout
    assert not unfit(re.sub(rb"\x1b\[[0-9;]*m", b"", done.stdout))
    assert b"\x1b[31mred" not in done.stdout
