"""Every command that reads a store, on stores whose every text is somebody's who means harm."""

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from judgeharness.store.records import RunRecord, SessionRecord, TaskRecord
from tests.helpers import judgeharness, serving
from tests.hostile import Listening, poison, rewrite, rewrite_request, texts

ROOT = Path(__file__).resolve().parents[1]
PIPE = ROOT / "plugins" / "judgeharness-pipe"
SECONDS, MEGABYTES = 10, 500
OF_A_PAGE = {"\x01", "\x1a"}
"""In the scripts of a page, which are its own."""

DIGEST = re.compile("[0-9a-f]{12,64}")
CHECKED = {"logit", "logprob", "done"}
"""Texts that the tables themselves insist on."""
NAMES = {
    "all", "nli-sample", "entailment", "neutral", "contradiction", "no-explanation", "parallel", "softmax",
    "baseline:uniform", "human", "name", "set", "sha256", "task", "limit", "metrics",
    *RunRecord.model_fields, *SessionRecord.model_fields, *TaskRecord.model_fields,
}  # fmt: skip
"""Texts without which most commands end at once."""

FORKING = """
import json, os, signal, sys, time, traceback
import judgeharness.reports.page.gather, judgeharness.reports.leaderboard, numpy, rich.console
from judgeharness.cli.program import main

found = {}
for name, words in json.load(sys.stdin).items():
    begun, child = time.monotonic(), os.fork()
    if not child:
        for descriptor, end in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{name}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.alarm(60)
        try:
            main(words)
        except SystemExit as ended:
            code = ended.code or 0
        except BaseException:
            traceback.print_exc()
            code = 99
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    status, used = os.wait4(child, 0)[1:]
    found[name] = [os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]
json.dump(found, sys.stdout)
"""
"""Runs commands in children of one process, and says of each: its exit code, seconds of a processor, and megabytes."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A store as judgeharness wrote it: runs of a program under two strategies, and of a baseline."""
    path = tmp_path_factory.mktemp("sound") / "store.db"
    words = ["eval", "--task", "nli-sample", "--transform", "softmax", "--store", path]
    words += ["--strategy", "no-explanation", "--strategy", "parallel"]
    words += ["--backend", "baseline:uniform", "--backend", f"pipe:{PIPE / 'examples' / 'first_letter.py'}"]
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(PIPE / "src"))
        result = judgeharness(*words, "--plugin", "judgeharness_pipe")
    assert result.code == 0, result.err
    return path


@pytest.fixture
def listening():
    """A server that nobody should call, and its address."""
    state = Listening()
    with serving(state.handler()) as address:
        yield state, address


@pytest.fixture
def marker(tmp_path):
    """A file that is there once something ran; `judge` beside it is a program that makes it."""
    path, program = tmp_path / "it ran", tmp_path / "judge"
    program.write_text(f"#!/bin/sh\ntouch '{path}'\n")
    program.chmod(0o755)
    return path


def ids(store, query):
    connection = sqlite3.connect(store)
    found = [row[0] for row in connection.execute(query)]
    connection.close()
    return found


def commands(store):
    """Words for every command that reads a store, by a name for each."""
    runs = ids(store, "SELECT id FROM runs WHERE strategy IS NOT NULL ORDER BY id")
    item = ids(store, "SELECT uid FROM items")[0]
    one = runs[0]
    found = {
        "rerun": ["rerun", one], "verify": ["verify", one], "show": ["show", one], "show-item": ["show", one, item],
        "show-json": ["show", one, "--format", "json"], "report": ["report", "--out", "page.html"],
        "check": ["store", "check"], "rescue": ["store", "rescue", "--to", "rescued.db"],
        "backup": ["store", "backup", "--to", "copy.db"],
        "export": ["export", one, "--task", "nli-sample", "--out", "export"], "list": ["list", "explanations"],
        "compare": ["compare", *runs], "bias": ["bias", one], "slices": ["slices", one],
        "relation": ["relation"], "finetuned": ["leaderboard", "--kind", "finetune"],
        **{f"board-{form}": ["leaderboard", "--format", form]
           for form in ("table", "json", "csv", "markdown", "latex", "svg")},
        **{f"sketch-{kind}": ["plot", kind, one] for kind in ("ternary", "entropy", "bins", "bias")},
        "plot": ["plot", "ternary", one, "--out", "plot.svg"], "plot-bias": ["plot", "bias", one, "--out", "bias.svg"],
    }  # fmt: skip
    found = {name: [*words, "--store", str(store)] for name, words in found.items()}
    return found | {"merge": ["merge", str(store), "--store", "merged.db"]}


def run(todo, address, folder):
    """Run commands in a new folder; of each its exit code, seconds and megabytes."""
    folder.mkdir()
    settings = {"PYTHONPATH": str(PIPE / "src"), "HF_ENDPOINT": address, "OPENAI_API_KEY": "the-users-own-key"}
    done = subprocess.run(
        [sys.executable, "-c", FORKING], input=json.dumps(todo), env={**os.environ, **settings}, cwd=folder,
        stdout=subprocess.PIPE, text=True, timeout=300, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def shown(path):
    """The characters in a file that are none for a reader: control characters, and what turns the writing round."""
    text = path.read_text(encoding="utf-8")
    unfit = {each for each in text if not each.isprintable() and each not in "\n\t"}
    return unfit - OF_A_PAGE if path.suffix == ".html" else unfit


ENDING = {"rerun", "verify", "relation", "finetuned"}
"""Commands that end with an error in words on any such store: the model is nobody's, and no classifier is there."""


@pytest.mark.parametrize("place", ["in free texts", "everywhere"])
def test_nothing_runs_nothing_is_contacted_and_nothing_hangs(tmp_path, sound, listening, marker, place):
    server, address = listening
    store = tmp_path / "hostile.db"
    shutil.copy(sound, store)
    kept = CHECKED if place == "everywhere" else CHECKED | NAMES | set(ids(sound, "SELECT uid FROM items"))
    spared = lambda text: text in kept or (place != "everywhere" and DIGEST.fullmatch(text))  # noqa: E731
    poison(store, spared, texts(address, marker, tmp_path / "judge"))
    before, here = sorted(tmp_path.iterdir()), tmp_path / "here"
    for name, (code, seconds, megabytes) in run(commands(store), address, here).items():
        said = (here / f"{name}.err").read_text(encoding="utf-8")
        assert code in (0, 1, 2), (name, code, said[-2000:])
        assert "Traceback" not in said, (name, said[-2000:])
        assert seconds < SECONDS, (name, seconds)
        assert megabytes < MEGABYTES, (name, megabytes)
        assert code == 0 or place == "everywhere" or name in ENDING, (name, said)
    for path in (each for each in here.rglob("*") if each.is_file() and not each.suffix.startswith(".db")):
        assert not shown(path), (path, shown(path))
    assert not marker.exists()
    assert server.asked == []
    made = set(tmp_path.iterdir()) - {*before, here}
    assert all(each.name.startswith(store.name) for each in made), made


@pytest.mark.parametrize("backend", ["pipe:{program}", "openai:m@{address}/v1", "openai:m", "hf:{folder}"])
def test_no_model_of_a_record_is_asked_without_trust(tmp_path, sound, listening, marker, backend):
    server, address = listening
    store, here = tmp_path / "hostile.db", tmp_path / "here"
    shutil.copy(sound, store)
    name = backend.format(program=tmp_path / "judge", folder=tmp_path, address=address)
    options = {"hf": {"trust_remote_code": "true"}, "openai": {"base_url": f"{address}/v1", "key_variable": "HOME"}}
    rewrite_request(store, options=options.get(name.partition(":")[0], {}))
    rewrite(store, "runs", "strategy IS NOT NULL", backend=name)
    one = ids(store, "SELECT id FROM runs WHERE strategy IS NOT NULL")[0]
    words = ["--store", str(store), "--plugin", "judgeharness_pipe"]
    found = run({command: [command, one, *words] for command in ("rerun", "verify")}, address, here)
    for command, (code, _, _) in found.items():
        said = (here / f"{command}.err").read_text()
        assert (code, len(said.splitlines())) == (2, 2), said
        assert "add --trust" in said
    assert not marker.exists()
    assert server.asked == []
