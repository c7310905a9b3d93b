"""What requests cost and bring, when calls are killed, interrupted, and made several at once."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing

import pytest

from judgeharness.domain.locks import take
from judgeharness.store.database import Store
from judgeharness.store.records import SessionRecord
from tests.backends.openai.standin import StandIn
from tests.helpers import judgeharness, serving

SERIAL = ("--strategy", "serial", "--limit", "3")


@pytest.fixture
def server():
    """A stand-in's state and address; it takes a while for each answer."""
    state = StandIn("vLLM", delay=0.06)
    with serving(state.handler()) as url:
        yield state, f"{url}/v1"


def words(url, store, *more):
    return [str(each) for each in ("--task", "nli-sample", "--backend", f"openai:m@{url}", "--store", store, *more)]


def started(*arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "judgeharness", *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def judged(state):
    """How often each prompt of the task was answered: the probe's are short."""
    texts = (str(body.get("messages", body.get("prompt"))) for body in state.seen)
    return Counter(text for text in texts if len(text) > 200)


def wait_for(state, prompts):
    deadline = time.monotonic() + 60
    while sum(judged(state).values()) < prompts and time.monotonic() < deadline:
        time.sleep(0.02)


def spent(path):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT sum(requests), sum(tokens) FROM spending").fetchone()


def statuses(path):
    with closing(sqlite3.connect(path)) as connection:
        return [row[0] for row in connection.execute("SELECT status FROM sessions ORDER BY rowid")]


def test_a_kill_loses_no_reply_and_no_count(server, tmp_path):
    state, url = server
    store = tmp_path / "s.db"
    asked = ("eval", *words(url, store, *SERIAL), "-o", "concurrency=2", "--format", "json")
    for seen, kill in ((3, signal.SIGKILL), (25, signal.SIGTERM), (45, signal.SIGINT)):
        process = started(*asked)
        wait_for(state, seen)
        process.send_signal(kill)
        _, err = process.communicate()
        assert b"failed in" not in err
        # Whatever the server was asked is counted, also what it was asked in vain.
        assert spent(store)[0] >= state.requests - 1
    done = judgeharness(*asked)
    assert done.code == 0, done.err
    (run,) = [each for each in json.loads(done.out)["runs"] if each["transform"] == "softmax"]
    shown = json.loads(judgeharness("show", run["id"], "--store", store, "--format", "json").out)
    assert shown["record"]["requests"] == spent(store)[0]
    assert shown["record"]["tokens"] == spent(store)[1]
    # Only what was on its way when the process died was asked twice: two requests at a time.
    twice = {text: count for text, count in judged(state).items() if count > 1}
    assert sum(twice.values()) - len(twice) <= 3 * 2
    assert statuses(store) == ["interrupted"] * 3 + ["done"]
    with Store.open(store) as opened:
        assert opened.connection.execute("SELECT count(*) FROM replies").fetchone() == (0,)
        assert opened.connection.execute("SELECT count(*) FROM leases").fetchone() == (0,)
    assert [path.name for path in tmp_path.iterdir()] == ["s.db"]


def test_explanations_survive_kills_too(server, tmp_path):
    state, url = server
    store = tmp_path / "s.db"
    asked = ("explain", *words(url, store, "--limit", "6"), "-o", "concurrency=1", "--format", "json")
    for seen in (4, 11):
        process = started(*asked)
        wait_for(state, seen)
        process.kill()
        process.communicate()
    done = judgeharness(*asked)
    assert done.code == 0, done.err
    assert json.loads(done.out)["explanations"] == 18
    assert sum(judged(state).values()) <= 18 + 2


def test_the_same_call_several_times_at_once_asks_each_prompt_once(server, tmp_path):
    state, url = server
    processes = 4
    store = tmp_path / "s.db"
    asked = ("eval", *words(url, store, "--strategy", "no-explanation"), "-o", "concurrency=2", "--format", "json")
    running = [started(*asked) for _ in range(processes)]
    ended = [process.communicate() for process in running]
    assert [process.returncode for process in running] == [0] * processes, [err for _, err in ended]
    found = [json.loads(out)["runs"][0]["metrics"] for out, _ in ended]
    assert all(each == found[0] for each in found)
    assert set(judged(state).values()) == {1}
    assert len(judged(state)) == 24 * 6
    assert spent(store)[0] == state.requests


def test_a_reservation_ends_with_its_process(server, tmp_path):
    """A process that is stopped keeps its items; once it is killed, the other one asks for them."""
    state, url = server
    store = tmp_path / "s.db"
    asked = ("eval", *words(url, store, *SERIAL), "-o", "concurrency=1", "--format", "json")
    stopped = started(*asked)
    wait_for(state, 2)
    os.kill(stopped.pid, signal.SIGSTOP)
    other = started(*asked)
    said = b""
    while b"another process asks for" not in said:
        line = other.stderr.readline()
        assert line, said
        said += line
    stopped.kill()
    stopped.communicate()
    _, err = other.communicate()
    assert other.returncode == 0, err
    assert sum(judged(state).values()) <= len(judged(state)) + 1
    assert sorted(statuses(store)) == ["done", "interrupted"]


def test_a_budget_is_one_for_all_runs_of_a_call(server, tmp_path):
    state, url = server
    more = ("--strategy", "no-explanation", "--strategy", "parallel", "--limit", "2", "--budget-requests", "40")
    done = judgeharness("eval", *words(url, tmp_path / "s.db", *more))
    assert done.code == 1
    assert "has no room for another item" in done.err
    assert state.requests <= 40


def test_a_reply_that_was_altered_in_the_store_is_asked_for_again(server, tmp_path):
    state, url = server
    store = tmp_path / "s.db"
    asked = ("eval", *words(url, store, *SERIAL), "-o", "concurrency=1", "--format", "json")
    process = started(*asked)
    wait_for(state, 6)
    process.kill()
    process.communicate()
    with closing(sqlite3.connect(store, isolation_level=None)) as connection:
        (kept,) = connection.execute("SELECT count(*) FROM replies").fetchone()
        assert kept > 2
        connection.execute("UPDATE replies SET reply = '{}' WHERE position = 0")
    assert judgeharness(*asked).code == 0
    assert max(judged(state).values()) == 2


def test_a_lock_of_a_session_is_not_where_its_id_leads(tmp_path):
    """A stranger's store may give a session any id."""
    victim = tmp_path / "victim.lock"
    victim.write_text("precious")
    (tmp_path / "sub").mkdir()
    with Store.open(tmp_path / "sub" / "s.db") as store:
        name = "../../victim.lock"
        with store.sessions.recorded(name, SessionRecord()):
            assert store.sessions.find(name).status == "running"
            assert [path.parent for path in tmp_path.rglob(".judgeharness-*.lock")] == [tmp_path / "sub"]
        store.connection.execute("UPDATE sessions SET status = 'running', ended = NULL")
        assert store.sessions.find(name).status == "interrupted"
        store.sessions.end_dead_ones()
    assert victim.read_text() == "precious"


def test_a_lock_is_held_once_and_left_by_the_dead(tmp_path):
    path = tmp_path / "lock"
    held = take(path)
    assert take(path) is None
    held.release()
    assert not path.exists()
    code = f"import os, judgeharness.domain.locks as l; l.take(__import__('pathlib').Path({str(path)!r})); os._exit(9)"
    subprocess.run([sys.executable, "-c", code], check=False)
    assert path.exists()
    again = take(path)
    assert again is not None
    again.release()
