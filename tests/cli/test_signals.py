"""Signals that ask for an end: sessions, stores and temporary files are left in order, and nothing runs on."""

import json
import os
import signal
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

from tests.helpers import judgeharness
from tests.worlds import leftovers, program

SLOW = """
import subprocess, sys, time
from judgeharness import hookimpl
from judgeharness.domain.scratch import scratch
from judgeharness.plugins.specs import BackendSpec
from judgeharness.testing.pretend import PretendModel

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="slow", summary="made up", target=f"{__name__}:Slow")]

class Slow(PretendModel):
    def __init__(self, model, options, context): self.model = model
    def score(self, groups):
        for count, found in enumerate(super().score(groups)):
            if count == 2 and self.model == "waits":
                print("at work", flush=True)
                time.sleep(60)
            if count == 2 and self.model == "waits-for-a-process":
                print("at work", flush=True)
                subprocess.run([sys.executable, "-c", "import time; print('begun', flush=True); time.sleep(77)"])
            if count == 2 and self.model == "does-not-hear":
                said = False
                while True:
                    try:
                        if not said:
                            said = True
                            print("at work", flush=True)
                        time.sleep(60)
                    except KeyboardInterrupt:
                        print("heard", flush=True)
            yield found
"""


@pytest.fixture
def evaluation(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    started = []
    # Where SIGHUP is ignored, as after nohup, it would be by what is started here.
    before_all = signal.signal(signal.SIGHUP, signal.SIG_DFL)

    def start(model, before=""):
        words = ("eval", "--task", "nli-sample", "--backend", f"slow:{model}", "--plugin", "slow.py", "--store", "s.db")
        command = program(*words, "--strategy", "no-explanation")
        if before:
            command = ["sh", "-c", f'{before}; exec "$@"', "sh", *command]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        started.append(subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "TMPDIR": str(tmp_path)}, **pipes))
        assert started[-1].stdout.readline() == "at work\n"
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()
    signal.signal(signal.SIGHUP, before_all)


def states(folder):
    connection = sqlite3.connect(folder / "s.db")
    found = [row[0] for row in connection.execute("SELECT status FROM sessions")]
    kept = connection.execute("SELECT count(*) FROM scores").fetchone()[0]
    connection.close()
    return found, kept


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_what_was_done_is_kept(evaluation, tmp_path, name):
    process = evaluation("waits")
    process.send_signal(getattr(signal, name))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    lines = said.splitlines()[-2:]
    assert lines == [f"error: stopped by {name}: what was done is in the store", "  the same command resumes"]
    assert states(tmp_path) == (["interrupted"], 2)
    assert leftovers(tmp_path) == []
    assert not (tmp_path / "s.db-wal").exists()


def test_a_hang_up_that_is_ignored_stays_ignored(evaluation, tmp_path):
    process = evaluation("waits", before="trap '' HUP")
    process.send_signal(signal.SIGHUP)
    time.sleep(0.5)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert states(tmp_path)[0] == ["interrupted"]


def test_a_second_signal_ends_at_once(evaluation):
    process = evaluation("does-not-hear")
    process.send_signal(signal.SIGTERM)
    assert process.stdout.readline() == "heard\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == -signal.SIGTERM


def test_processes_that_were_started_end_too(evaluation):
    process = evaluation("waits-for-a-process")
    assert process.stdout.readline() == "begun\n"
    children = _children(process.pid)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert children
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def _children(pid):
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    if not listed.exists():
        pytest.skip("this system does not list children")
    return listed.read_text().split()


def test_a_rerun_says_what_is_kept_of_it(evaluation, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ("eval", "--task", "nli-sample", "--backend", "slow:waits", "--plugin", "slow.py", "--store", "s.db")
    process = evaluation("waits")
    process.kill()
    process.wait()
    (tmp_path / "slow.py").write_text(SLOW.replace("sleep(60)", "sleep(0)"))
    done = judgeharness(*words, "--strategy", "no-explanation", "--format", "json", "--plugin", "slow.py")
    assert done.code == 0, done.err
    run = json.loads(done.out[done.out.index("{") :])["runs"][0]["id"]
    (tmp_path / "slow.py").write_text(SLOW)
    for more, kept in (((), "nothing is kept without --into NEW.db"), (("--into", "new.db"), "what was done is kept")):
        command = program("rerun", run, "--plugin", "slow.py", *more, "--store", "s.db")
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "at work\n"
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=30)
        assert f"error: stopped by SIGTERM: {kept}" in said
        assert not (tmp_path / "new.db").exists()
    assert len(list(tmp_path.glob(".rerun-*.part"))) == 1
    (tmp_path / "slow.py").write_text(SLOW.replace("sleep(60)", "sleep(0)"))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 1), done.stderr
    assert (tmp_path / "new.db").exists()
    assert leftovers(tmp_path) == []
