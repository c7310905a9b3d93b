"""The executor on a real local cluster: figures, dying workers, errors, and how work is cut up."""

import contextlib
import io
import itertools
import json
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import psutil
import pytest
import ray

from judgeharness.cli.program import run
from judgeharness.domain.nouns import Message, Prompt, PromptGroup
from judgeharness_ray.cluster import Share, share_of
from judgeharness_ray.items import WINDOW, Item, Queue
from judgeharness_ray.options import RayOptions

ASKED = ("eval", "--task", "nli-sample", "--strategy", "no-explanation", "--format", "json")
TWO = ("-o", "ray_workers=2", "-o", "ray_cpus=1")

SLOW = """
import os, time
import numpy as np
from judgeharness import hookimpl
from judgeharness.domain.nouns import GeneratedTexts, OptionScores, ScoringFailure
from judgeharness.domain.errors import HarnessError
from judgeharness.plugins.specs import BackendSpec

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="slow", summary="takes its time", target=f"{__name__}:Slow")]

class Slow:
    def __init__(self, model, options, context): self.model, self.context = model, context
    def describe(self): return {"backend": "slow", "model": self.model}
    def environment(self): return {"pid": os.getpid()}
    def render(self, group): return None
    def encode(self, group): return None
    def open(self):
        if self.model == "broken": raise HarnessError("there is no such weight", "get some")
        if self.model == "dying": os._exit(1)
    def close(self): pass
    def score(self, groups):
        for group in groups:
            time.sleep(1.2 if self.model == "slower" or "/" in self.model else 0.1)
            if self.model == "poison" and group.uid == "sample-05": os._exit(1)
            if self.model == "raising" and group.uid == "sample-05": raise ZeroDivisionError("oh no")
            if self.model == "failing" and group.uid == "sample-05":
                self.context.notify("a strange prompt")
                yield ScoringFailure(group.uid, "too long"); continue
            seed = sum(map(ord, group.uid))
            scores = 20 + np.random.default_rng(seed).normal(size=(len(group.prompts), 3))
            yield OptionScores(group.uid, scores, "logit")
"""

MARK = """
    def first_here(self):
        try:
            os.close(os.open(self.model, os.O_CREAT | os.O_EXCL))
            return True
        except FileExistsError:
            return False
"""


@pytest.fixture(autouse=True)
def _own_folders(monkeypatch, tmp_path_factory, tmp_path):
    for name in ("JUDGEHARNESS_STORE", "JUDGEHARNESS_PLUGINS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def cluster():
    """The address of a cluster that is running already: it is attached to, and left alone."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["ray", "start", "--head", f"--port={port}", "--num-cpus=2", "--include-dashboard=false", "--block"]
    program = str(Path(sys.executable).with_name("ray"))
    process = subprocess.Popen([program, *words[1:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            break
        time.sleep(0.2)
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=60)


@pytest.fixture
def slow(tmp_path):
    path = tmp_path / "slow_backend.py"
    path.write_text(textwrap.dedent(SLOW))
    return path


def judgeharness(*words):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run([str(word) for word in words])
    return code, out.getvalue(), err.getvalue()


def figures(out):
    return {each["transform"]: each["metrics"] for each in json.loads(out)["runs"]}


def workers():
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name().startswith("ray::Worker") or "ray::Worker" in " ".join(process.cmdline()[:1]):
                found.append(process)
    return found


def assert_nobody_is_left():
    """The cluster stops a worker a moment after it was told to."""
    deadline = time.monotonic() + 20
    while workers() and time.monotonic() < deadline:
        time.sleep(0.2)
    assert not workers()
    assert not ray.is_initialized()


@pytest.fixture
def on_ray(cluster):
    return ("--executor", "ray", "--ray-address", cluster, *TWO)


def test_two_workers_give_the_figures_of_one_process(on_ray, tmp_path):
    words = (*ASKED, "--limit", "8", "--backend", "hf:smollm2")
    code, here, err = judgeharness(*words, "--store", tmp_path / "here.db")
    assert code == 0, err
    code, there, err = judgeharness(*words, *on_ray, "--store", tmp_path / "there.db")
    assert code == 0, err
    for name, expected in figures(here).items():
        assert figures(there)[name] == pytest.approx(expected, abs=1e-3)
    run_id = json.loads(there)["runs"][0]["id"]
    assert run_id == json.loads(here)["runs"][0]["id"]
    shown = json.loads(judgeharness("show", run_id, "--format", "json", "--store", tmp_path / "there.db")[1])
    assert shown["record"]["environment"]["workers"] == 2
    # The store knows the answers now, so the same again needs no worker to load anything.
    code, _, err = judgeharness(*words, "--store", tmp_path / "there.db")
    assert code == 0
    assert "prompts to do" not in err
    assert_nobody_is_left()


def test_what_models_write_comes_back(on_ray, tmp_path):
    words = ("eval", "--task", "nli-sample", "--strategy", "sampling", "--limit", "3", "--format", "json", "-o", "n=4")
    words += ("-o", "answer_tokens=4", "--backend", "hf:smollm2")
    _, here, _ = judgeharness(*words, "--store", tmp_path / "here.db")
    _, there, err = judgeharness(*words, *on_ray, "--store", tmp_path / "there.db")
    assert figures(there) == figures(here), err


def test_a_worker_that_is_killed_three_times(on_ray, slow, tmp_path):
    words = (*ASKED, "--backend", "slow:slower", "--plugin", slow)
    code, here, _ = judgeharness(*words, "--store", tmp_path / "here.db")
    assert code == 0
    killed = []

    def kill():
        while len(killed) < 3:
            time.sleep(0.4)
            found = [each for each in workers() if each.pid not in killed]
            if len(found) == 2:
                found[0].send_signal(signal.SIGKILL)
                killed.append(found[0].pid)

    thread = threading.Thread(target=kill, daemon=True)
    thread.start()
    code, there, err = judgeharness(*words, *on_ray, "-o", "ray_item_tokens=1", "--store", tmp_path / "there.db")
    thread.join(timeout=10)
    assert code == 0, err
    assert len(killed) == 3
    assert err.count("died and is replaced") == 3
    assert figures(there) == figures(here)
    assert json.loads(there)["runs"][0]["n_failed"] == 0


def test_a_group_that_kills_its_workers_is_given_up_and_the_others_are_not(on_ray, slow, tmp_path):
    words = (*ASKED, "--limit", "8", "--backend", "slow:poison", "--plugin", slow, "-o", "ray_attempts=3")
    code, out, err = judgeharness(*words, *on_ray, "--store", tmp_path / "s.db")
    assert code == 1
    (first, _) = json.loads(out)["runs"]
    assert (first["n_items"], first["n_failed"]) == (8, 1)
    shown = json.loads(judgeharness("show", first["id"], "--format", "json", "--store", tmp_path / "s.db")[1])
    assert shown["failures"] == {"sample-05": "3 workers died while they answered it"}
    assert err.count("died and is replaced") == 3


def test_what_a_worker_says_reaches_the_user(on_ray, slow, tmp_path):
    words = (
        *ASKED,
        "--limit",
        "6",
        "--backend",
        "slow:failing",
        "--plugin",
        slow,
        *on_ray,
        "--store",
        tmp_path / "s.db",
    )
    code, out, err = judgeharness(*words)
    assert code == 1
    assert json.loads(out)["runs"][0]["n_failed"] == 1
    assert "a strange prompt" in err


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("broken", "there is no such weight"),
        ("dying", "workers died while they loaded slow:dying"),
        ("raising", "ZeroDivisionError: oh no"),
    ],
)
def test_a_model_that_cannot_be_had_is_an_error_in_words(on_ray, slow, tmp_path, model, message):
    words = (
        *ASKED,
        "--limit",
        "6",
        "--backend",
        f"slow:{model}",
        "--plugin",
        slow,
        *on_ray,
        "--store",
        tmp_path / "s.db",
    )
    code, out, err = judgeharness(*words)
    assert code == 1
    assert message in err
    assert "Traceback" not in err
    assert out == ""
    assert_nobody_is_left()


def test_no_room_for_a_worker(cluster, slow, tmp_path):
    words = (*ASKED, "--backend", "slow:x", "--plugin", slow, "--executor", "ray", "--store", tmp_path / "s.db")
    code, _, err = judgeharness(*words, "--ray-address", cluster, "-o", "ray_gpus=4")
    assert code == 2
    assert "no machine of the cluster has" in err
    for option in ("ray_workers=0", "ray_cpus=-1", "ray_attempts=x", "ray_item_tokens=0"):
        assert judgeharness(*words, "-o", option)[0] == 2


def test_a_cluster_is_started_and_stopped_and_a_wrong_address_is_named(slow, tmp_path):
    """In a process of its own, as a user would."""
    words = [sys.executable, "-m", "judgeharness", *ASKED, "--limit", "4", "--backend", "slow:x", "--plugin", str(slow)]
    words += ["--executor", "ray", "-o", "ray_workers=2", "--store", str(tmp_path / "s.db")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"][0]["n_failed"] == 0
    done = subprocess.run([*words, "--ray-address", "127.0.0.1:1"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    assert "--ray-address 127.0.0.1:1: no cluster there" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_flag_is_shown_and_is_the_option():
    code, out, _ = judgeharness("eval", "--help")
    assert code == 0
    assert "--ray-address ADDRESS" in out
    code, _, err = judgeharness(*ASKED, "--backend", "baseline:uniform", "--ray-address", "x:1")
    assert code == 2
    assert "unknown option 'ray_address'" in err


def group(uid, words):
    return PromptGroup(uid, (Prompt((Message("user", "w" * words),), (0, 1)),))


def drained(queue):
    found = []
    while (item := queue.next()) is not None:
        found.append(item)
    return found


def test_the_longest_go_first_in_items_of_whole_groups():
    sizes = [5, 900, 30, 30, 30, 200, 1, 100, 70, 40]
    groups = [group(str(n), size) for n, size in enumerate(sizes)]
    items = drained(Queue(iter(groups), lambda each: len(each.prompts[0].messages[0].content), 100, 1))
    assert sorted(each.uid for item in items for each in item.groups) == sorted(each.uid for each in groups)
    assert [len(item.groups) for item in items[:3]] == [1, 1, 1]
    assert [item.tokens for item in items[:3]] == [900, 200, 100]
    assert all(item.tokens <= 100 or len(item.groups) == 1 for item in items)
    assert all(left.tokens >= right.tokens or len(right.groups) > 1 for left, right in itertools.pairwise(items))


def test_more_groups_than_fit_into_memory_are_taken_as_they_come():
    taken = []

    def many():
        for number in range(10 * WINDOW):
            taken.append(number)
            yield group(str(number), 10)

    queue = Queue(many(), lambda each: 10, 50, 4)
    first = queue.next()
    assert len(first.groups) == 5
    assert len(taken) == WINDOW
    rest = drained(queue)
    assert sum(len(item.groups) for item in rest) == 10 * WINDOW - 5
    # Towards the end the items get smaller, so that all workers end together.
    assert len(rest[-1].groups) == 1


def test_what_is_put_back_comes_first_and_is_taken_apart_the_second_time():
    queue = Queue(iter([group("c", 1)]), lambda each: 1, 100, 1)
    item = Item((group("a", 5), group("b", 5)), 10)
    (again,) = item.after_death()
    assert again.deaths == 1
    assert [each.groups[0].uid for each in again.after_death()] == ["a", "b"]
    queue.put_back([again])
    assert queue.next() is again
    assert queue.next().groups[0].uid == "c"
    assert queue.next() is None


@pytest.mark.parametrize(
    ("nodes", "given", "expected"),
    [
        ([(2, 0)], {"ray_workers": 2}, Share(2, 1.0, 0.0)),
        ([(16, 0)], {}, Share(1, 16.0, 0.0)),
        ([(8, 0), (8, 0)], {}, Share(2, 8.0, 0.0)),
        ([(16, 4)], {}, Share(4, 4.0, 1.0)),
        ([(16, 4), (16, 4)], {}, Share(8, 4.0, 1.0)),
        ([(16, 4)], {"ray_gpus": 2}, Share(2, 8.0, 2.0)),
        ([(16, 4)], {"ray_gpus": 0, "ray_workers": 4}, Share(4, 4.0, 0.0)),
        ([(2, 0)], {"ray_workers": 2, "ray_cpus": 0.5}, Share(2, 0.5, 0.0)),
    ],
)
def test_how_a_cluster_is_shared_out(nodes, given, expected):
    assert share_of(nodes, RayOptions(**given)) == expected


def test_a_place_where_no_worker_can_load_the_model_is_given_up(on_ray, slow, tmp_path):
    """One of two always dies while it loads: it is the one that finds a mark there already."""
    slow.write_text(slow.read_text().replace('self.model == "dying"', "not self.first_here()") + MARK)
    words = (*ASKED, "--limit", "12", "--backend", f"slow:{tmp_path / 'mark'}", "--plugin", slow, *on_ray)
    code, out, err = judgeharness(*words, "--store", tmp_path / "s.db")
    assert code == 0, err
    assert json.loads(out)["runs"][0]["n_failed"] == 0
    assert "going on with 1 of 2 workers" in err
