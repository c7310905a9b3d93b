"""A server that echoes the key: no form of it is shown, traced, logged, stored or written."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers import judgeharness
from tests.leaks import KEY, echo, files_that_leak, forms, leaks

EVAL = ("eval", "--task", "nli-sample", "--limit", "1", "-o", "attempts=1", "-o", "concurrency=2")
MESSAGE = {"error": {"message": echo(), "param": KEY, "code": echo()[:200], "metadata": {"raw": echo()}}}


@pytest.fixture(autouse=True)
def _key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def caches() -> Path:
    return Path(os.environ["XDG_CACHE_HOME"])


def said(status, document=MESSAGE, reason=None, **headers):
    """A fault: a reply with this status to every request."""

    def reply(handler):
        content = document if isinstance(document, bytes) else json.dumps(document).encode()
        handler.send_response(status, reason)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value.replace("\n", " "))
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return lambda number, body: reply


FAULTS = {
    **{str(status): said(status) for status in (400, 401, 402, 403, 404, 429, 500, 503)},
    "an error in the body": said(200, MESSAGE),
    "an error in a choice": said(200, {"choices": [MESSAGE]}),
    "an error with a code": said(200, {"error": {"code": 400, "message": echo()}}),
    "no JSON": said(200, echo().encode(), content_type=echo()),
    "no JSON, in an error": said(400, echo().encode("utf-16")),
    "no JSON, with blanks before it": said(400, b" " * 1180 + KEY.encode()),
    "JSON with a key twice": said(200, f'{{"{KEY}": 1, "{KEY}": 2}}'.encode()),
    "the words of the status": said(500, b"", reason=echo().replace("\n", " ").replace("\x01", " ")),
    "headers": said(429, {}, x_echo=echo().replace("\x01", " "), retry_after=KEY),
    "a redirect": said(307, {}, location=f"http://127.0.0.1:9/{KEY}?key={forms(KEY)['URL']}"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_no_fault_shows_the_key(stand_in, tmp_path, fault):
    state, url = stand_in("vLLM")
    state.fault = FAULTS[fault]
    done = judgeharness(
        *EVAL, "--backend", f"openai:m@{url}", "--strategy", "no-explanation", "--store", tmp_path / "s"
    )
    assert done.code == 1
    assert done.err.startswith("error: ") or "error: " in done.err
    assert not leaks((done.out + done.err).encode())
    assert not files_that_leak(tmp_path, caches())


@pytest.mark.parametrize("fault", ["400", "403", "an error in the body", "no JSON", "JSON with a key twice", "headers"])
def test_no_failure_of_an_item_stores_the_key(stand_in, tmp_path, fault):
    state, url = stand_in("vLLM")
    state.fault = lambda number, body: FAULTS[fault](number, body) if "water" not in json.dumps(body) else None
    store = tmp_path / "s.db"
    done = judgeharness(*EVAL, "--backend", f"openai:m@{url}", "--strategy", "no-explanation", "--store", store)
    assert done.code == 1
    assert not leaks((done.out + done.err).encode())
    assert not files_that_leak(tmp_path, caches())


def echoing(body, document):
    """The answer of a server that writes the key wherever it can."""
    choice = document["choices"][0]
    if "message" in choice:
        choice["message"]["content"] = f"{echo()}\nAnswer: A"
    elif "logprobs" not in choice:
        choice["text"] = f"{echo()}\nAnswer: A"
    return {**document, "model": echo(), "system_fingerprint": KEY, KEY: [echo()]}


def test_no_text_of_a_server_shows_or_stores_the_key(stand_in, tmp_path):
    state, url = stand_in("vLLM", change=echoing, models=("m", KEY, echo()))
    state.kind.paths["/version"] = {"version": KEY}
    store = ("--store", tmp_path / "s.db")
    shown = judgeharness(*EVAL, "--backend", f"openai:m@{url}", "--strategy", "cot", "--strategy", "parallel", *store)
    assert "[key]" in shown.err
    run = sqlite3.connect(tmp_path / "s.db").execute("SELECT id FROM runs").fetchone()[0]
    uid = sqlite3.connect(tmp_path / "s.db").execute("SELECT uid FROM items").fetchone()[0]
    outputs = [
        shown,
        *(judgeharness("show", run, *more, *store) for more in ((), ("--format", "json"), (uid,))),
        *(judgeharness("leaderboard", "--format", form, *store) for form in ("table", "json", "csv", "latex")),
        judgeharness("report", "-o", tmp_path / "page.html", *store),
        judgeharness("explain", "--task", "nli-sample", "--limit", "1", "--backend", f"openai:m@{url}",
                     "--out", tmp_path / "explained.jsonl", *store),
        judgeharness("doctor", "--backend", f"openai:m@{url}"),
    ]  # fmt: skip
    for each in outputs:
        assert each.code == 0, each.err
        assert not leaks((each.out + each.err).encode())
    assert (tmp_path / "page.html").is_file()
    assert not files_that_leak(tmp_path, caches())
    stored = sqlite3.connect(tmp_path / "s.db")
    assert any(
        "[key]" in str(row) for table in ("sessions", "texts") for row in stored.execute(f"SELECT * FROM {table}")
    )


@pytest.mark.parametrize("fault", ["401", "no JSON", "a redirect"])
def test_no_trace_shows_the_key(stand_in, tmp_path, fault):
    state, url = stand_in("vLLM")
    state.fault = FAULTS[fault]
    command = [sys.executable, "-m", "judgeharness", *EVAL, "--debug", "--backend", f"openai:m@{url}"]
    settings = {"OPENAI_LOG": "debug", "PYTHONWARNINGS": "always"}
    done = subprocess.run(
        [*command, "--strategy", "no-explanation", "--store", str(tmp_path / "s.db")],
        capture_output=True, env=os.environ | settings, check=False,
    )  # fmt: skip
    assert b"Traceback" in done.stderr
    assert not leaks(done.stdout + done.stderr)
    assert not files_that_leak(tmp_path, caches())


@pytest.mark.parametrize(
    "key", ["sk-first\nsecond-half", "sk-first second-half", "sk-first\r\nX: second-half", "sk-é-first-second-half"]
)
def test_a_key_that_cannot_be_sent_is_not_shown(stand_in, tmp_path, monkeypatch, key):
    state, url = stand_in("vLLM")
    monkeypatch.setenv("MY_KEY", key)
    done = judgeharness(
        *EVAL, "--store", tmp_path / "s.db", "--backend", f"openai:m@{url}", "-o", "key_variable=MY_KEY",
        "--strategy", "no-explanation",
    )  # fmt: skip
    assert done.code == 1
    assert "the key in MY_KEY cannot be sent" in done.err
    assert "first" not in done.out + done.err
    assert "second" not in done.out + done.err
    assert not state.requests


def test_a_password_on_the_command_line_is_not_stored(stand_in, tmp_path):
    _, url = stand_in("vLLM")
    with_password = url.replace("http://", f"http://me:{KEY}@")
    done = judgeharness(*EVAL, "--backend", f"openai:m@{with_password}", "--store", tmp_path / "s.db")
    assert done.code == 2
    assert not leaks((done.out + done.err).encode())
