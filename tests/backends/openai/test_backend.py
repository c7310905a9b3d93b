"""Whole runs: against a real server, behind a proxy that makes every fault, and stand-ins for what it cannot show."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import numpy as np
import pytest

from judgeharness.backends.contract import Scorer
from judgeharness.backends.openai import client
from judgeharness.backends.openai.budget import NoLedger
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.nouns import Decoding, Message, OptionScores, Prompt, PromptGroup, ScoringFailure
from tests.backends.openai.standin import OwnChat, StandIn, logprobs
from tests.helpers import bundled, judgeharness, serving
from tests.servers import start_server, stop_server

ORDERS = ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0))


def groups(count=4):
    return [
        PromptGroup(f"i{n}", tuple(Prompt((Message("user", f"item {n} order {order}"),), order) for order in ORDERS))
        for n in range(count)
    ]


def expected(group):
    """Log-probabilities of the stand-in's model, by label."""
    rows = []
    for prompt in group.prompts:
        values = logprobs(prompt.messages[0].content)
        rows.append([values[prompt.options.index(label)] for label in range(3)])
    return np.array(rows)


def score(backend, asked):
    backend.describe()
    backend.open()
    try:
        return {result.uid: result for result in backend.score(asked)}
    finally:
        backend.close()


def test_scores_are_the_servers_log_probabilities_by_label(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url)
    assert isinstance(backend, Scorer)
    found = score(backend, groups())
    for group in groups():
        assert found[group.uid].kind == "logprob"
        np.testing.assert_allclose(found[group.uid].scores, expected(group), atol=1e-12)
        np.testing.assert_allclose(found[group.uid].mass, np.exp(expected(group)).sum(axis=1))
        assert found[group.uid].censored is None
    # What the server saw is what is counted, the probe's requests included.
    ledger = NoLedger()
    backend.meter(ledger)
    assert ledger.spent()[0] == state.requests > 24
    prompts = [body["messages"][0]["content"].split() if "messages" in body else body["prompt"] for body in state.seen]
    words = [prompt.split() if isinstance(prompt, str) else prompt for prompt in prompts]
    assert ledger.spent()[1] == sum(len(each) + 1 for each in words)


def test_the_first_prompt_of_an_item_goes_out_alone_and_the_rest_in_order(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url, concurrency=1)
    backend.describe()
    state.seen.clear()
    score(backend, groups(3))
    asked = [body["messages"][0]["content"] for body in state.seen if "messages" in body]
    assert asked == sorted(asked)


def test_prompts_with_the_same_text_are_asked_once(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url)
    backend.describe()
    probed = state.requests
    twice = PromptGroup("t", (groups(1)[0].prompts[0],) * 3)
    found = score(backend, [twice])["t"]
    assert state.requests == probed + 1
    assert (found.scores == found.scores[0]).all()


def test_options_that_were_not_returned_stand_at_their_bound(stand_in, backend_at):
    _, url = stand_in("unknown")
    found = score(backend_at(url, top_logprobs=2), groups(1))["i0"]
    true = expected(groups(1)[0])
    assert found.censored.any()
    assert (true[found.censored] <= found.scores[found.censored]).all()
    np.testing.assert_allclose(found.scores[~found.censored], true[~found.censored])
    assert ((found.mass > 0) & (found.mass < np.exp(true).sum(axis=1) + 1e-9)).all()


def evaluate(url, tmp_path, *more, limit=4, store="s.db", strategy="no-explanation"):
    return judgeharness(
        "eval", "--task", "nli-sample", "--limit", limit, "--strategy", strategy, "--backend", f"openai:m@{url}",
        "--store", tmp_path / store, "--format", "json", *more,
    )  # fmt: skip


def test_censoring_stands_in_record_json_and_footnote(stand_in, tmp_path):
    _, url = stand_in("unknown")
    done = evaluate(url, tmp_path, "-o", "top_logprobs=2")
    assert done.code == 0, done.err
    (run,) = json.loads(done.out)["runs"]
    assert 0 < run["options_censored"] <= 72
    assert "norm is left out" in done.err
    table = judgeharness("leaderboard", "--store", tmp_path / "s.db").out
    footnote = " ".join(table.split())
    assert f"{run['options_censored']} of 72 option scores" in footnote
    assert "stand at their upper bound" in footnote
    assert "% of the probability" in footnote
    shown = judgeharness("show", run["id"], "--store", tmp_path / "s.db", "--format", "json").out
    assert json.loads(shown)["record"]["options_censored"] == run["options_censored"]


def test_a_run_in_which_nothing_is_informative_fails_with_the_reason(stand_in, tmp_path):
    _, url = stand_in("unknown", fault=lambda number, body: lambda handler: handler.reply(200, {
        "choices": [{"logprobs": {"content": [{"token": "Well", "logprob": -0.1, "bytes": None, "top_logprobs": [
            {"token": "Well", "logprob": -0.1, "bytes": None}, {"token": "I", "logprob": -3.0, "bytes": None}]}]}}],
    }))  # fmt: skip
    done = evaluate(url, tmp_path)
    assert done.code == 1
    assert "no item has a distribution: none of the options was among the tokens that the server returned" in done.err
    assert json.loads(done.out)["runs"][0]["n_failed"] == 4


class FaultyProxy(BaseHTTPRequestHandler):
    """Stands before a real server and spoils a share of what goes through, each time in another way."""

    protocol_version = "HTTP/1.1"
    target = ""
    share = 0.2
    scoring: list[str] = []  # noqa: RUF012
    faults: list[str] = []  # noqa: RUF012
    random = random.Random(0)
    lock = threading.Lock()
    KINDS = ("429", "429 with Retry-After", "500", "503", "hang", "drop", "cut off", "no log-probabilities", "not JSON")

    def log_message(self, *arguments):
        pass

    def do_GET(self):
        self.forward(None)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.lock:
            spoiled = self.random.random() < self.share
            kind = self.random.choice(self.KINDS) if spoiled else None
            if kind is not None:
                self.faults.append(kind)
        if kind is None:
            self.forward(body)
        else:
            self.spoil(kind, body)

    def spoil(self, kind, body):
        if kind in {"429", "429 with Retry-After", "500", "503"}:
            headers = {"retry-after": "0.05"} if "Retry" in kind else {}
            self.send(int(kind[:3]), b'{"error": {"message": "spoiled"}}', headers)
        elif kind == "hang":
            time.sleep(3)
            self.close_connection = True
        elif kind == "drop":
            self.close_connection = True
        elif kind == "cut off":
            self.send(200, self.fetch(body)[1][:-40], {})
        elif kind == "not JSON":
            self.send(200, b"<html>gateway</html>", {})
        else:
            reply = json.loads(self.fetch(body)[1])
            reply["choices"][0]["logprobs"] = None
            self.send(200, json.dumps(reply).encode(), {})

    def forward(self, body):
        status, content = self.fetch(body)
        if body is not None and status == 200:
            with self.lock:
                self.scoring.append(json.loads(body).get("messages", [{"content": "probe"}])[-1]["content"])
        self.send(status, content, {})

    def fetch(self, body):
        request = urllib.request.Request(self.target + self.path, body, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as reply:
                return reply.status, reply.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def send(self, status, content, headers):
        self.send_response(status)
        for name, value in {"content-length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def test_every_fault_is_survived_before_the_real_server(llama_cpp_server, backend_at, registry, folders):
    """A fifth of all requests is spoiled; the result is that of an undisturbed run, nothing twice, nothing missing."""
    from judgeharness.evaluation.components import component

    task = bundled("nli-sample", folders).limited(3)
    strategy = component(registry.strategies, "no-explanation", {}).part
    asked = [strategy.group(item, task) for item in task.items]
    undisturbed = score(backend_at(llama_cpp_server, model="smollm2"), asked)

    class Proxy(FaultyProxy):
        target = llama_cpp_server.removesuffix("/v1")
        share = 0.0
        random = random.Random(7)
        scoring: list[str] = []  # noqa: RUF012
        faults: list[str] = []  # noqa: RUF012

    with serving(Proxy) as address:
        backend = backend_at(f"{address}/v1", model="smollm2", timeout=2.0, attempts=30)
        backend.describe()
        Proxy.scoring.clear()
        Proxy.share = 0.2
        disturbed, repeats = {}, 0
        while len(set(Proxy.faults)) < len(Proxy.KINDS) and repeats < 12:
            disturbed = score(backend, asked)
            repeats += 1
            assert disturbed.keys() == undisturbed.keys()
            for uid, scores in disturbed.items():
                assert isinstance(scores, OptionScores), scores
                # The server's own cache makes scores differ in the last digits from one order of requests to another.
                np.testing.assert_allclose(scores.scores, undisturbed[uid].scores, atol=0.75)
        Proxy.share = 0.0
    assert len(set(Proxy.faults)) >= 7, Proxy.faults
    texts = {prompt.messages[-1].content for group in asked for prompt in group.prompts}
    assert set(Proxy.scoring) == texts
    assert backend.environment()["requests_repeated"] > 0


def spoiling(share, kinds, seed=1):
    """Faults for a stand-in, whose scores do not depend on the order of requests."""
    chance = random.Random(seed)

    def fault(number, body):
        if chance.random() >= share:
            return None
        kind = chance.choice(kinds)
        return lambda handler: FaultyProxy.spoil(_Spoiled(handler), kind, b"")

    return fault


class _Spoiled:
    """Lets a stand-in's handler be spoiled as the proxy does it."""

    def __init__(self, handler):
        self._handler = handler

    def send(self, status, content, headers):
        FaultyProxy.send(self._handler, status, content, headers)

    def fetch(self, body):
        return 200, json.dumps({"choices": [{"logprobs": {"content": []}, "text": "x" * 60}]}).encode()

    def __setattr__(self, name, value):
        object.__setattr__(self if name == "_handler" else self._handler, name, value)


def test_faults_change_no_digit(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url, attempts=40, timeout=0.5)
    backend.describe()
    undisturbed = score(backend, groups(40))
    state.fault = spoiling(0.2, [kind for kind in FaultyProxy.KINDS if kind != "hang"])
    found = score(backend, groups(40))
    assert found.keys() == undisturbed.keys()
    for uid, scores in found.items():
        np.testing.assert_array_equal(scores.scores, undisturbed[uid].scores)
        np.testing.assert_array_equal(scores.mass, undisturbed[uid].mass)
    assert backend.environment()["requests_repeated"] > 20


def test_a_group_that_cannot_be_answered_fails_alone(stand_in, backend_at):
    def fault(number, body):
        if "messages" in body and "item 1" in body["messages"][0]["content"]:
            return lambda handler: handler.reply(200, {"choices": [{"logprobs": None}]})
        if "messages" in body and "item 2" in body["messages"][0]["content"]:
            return lambda handler: handler.reply(400, {"error": {"message": "context length exceeded"}})
        return None

    _, url = stand_in("vLLM", fault=fault)
    found = score(backend_at(url, attempts=2), groups())
    assert found["i1"] == ScoringFailure("i1", "the reply has no log-probabilities, in 2 attempts")
    assert found["i2"] == ScoringFailure("i2", "the server refuses a prompt (HTTP 400): context length exceeded")
    assert isinstance(found["i0"], OptionScores)
    assert isinstance(found["i3"], OptionScores)


def test_a_server_that_is_lost_ends_the_run_and_keeps_what_is_done(stand_in, tmp_path):
    state, url = stand_in("vLLM")

    def fault(number, body):
        return None if len(state.seen) < 20 else lambda handler: setattr(handler, "close_connection", True)

    state.fault = fault
    lost = evaluate(url, tmp_path, "-o", "attempts=2", "-o", "concurrency=1", limit=8)
    assert lost.code == 1
    assert "the server does not answer, after 2 attempts: no connection" in lost.err
    state.fault = None
    before = state.requests
    done = evaluate(url, tmp_path, limit=8)
    assert done.code == 0, done.err
    assert 0 < state.requests - before < 48


def test_a_key_that_is_withdrawn_ends_the_run(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url)
    backend.describe()
    state.fault = lambda number, body: lambda handler: handler.reply(401, {"error": {"message": "revoked"}})
    with pytest.raises(HarnessError, match="does not accept the key"):
        score(backend, groups())


def test_retry_after_is_kept_to(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url)
    backend.describe()
    times = []

    def fault(number, body):
        times.append(time.monotonic())
        if len(times) == 1:
            return lambda handler: handler.reply(429, {"error": {"message": "slow"}}, Retry_After="1")
        return None

    state.fault = fault
    found = score(backend, groups(2))
    assert all(isinstance(each, OptionScores) for each in found.values())
    assert times[1] - times[0] >= 0.95


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("inf", None), ("1e999", None), ("nan", None), ("-3", None), ("9" * 400, None)],
)
def test_retry_after_is_a_number_of_seconds_or_nothing(text, seconds):
    assert client._retry_after(httpx2.Response(429, headers={"retry-after": text})) == seconds


@pytest.mark.parametrize("option", [("--budget-requests", 40), ("--budget-tokens", 2_000)])
def test_a_budget_is_not_passed_in_any_number_of_calls(stand_in, tmp_path, option):
    state, url = stand_in("vLLM")

    def spent():
        words = [str(body.get("messages", body.get("prompt"))).split() for body in state.seen]
        return len(state.seen) if "requests" in option[0] else sum(len(each) for each in words)

    for _ in range(3):
        stopped = evaluate(url, tmp_path, *option, limit=24)
        assert stopped.code == 1
        assert "has no room for another item" in stopped.err
        assert "those of earlier calls included" in stopped.err
        assert spent() <= option[1]
    done = evaluate(url, tmp_path, limit=24)
    assert done.code == 0, done.err
    # Nothing was asked twice over all calls.
    asked = [body["messages"][-1]["content"] for body in state.seen if len(str(body)) > 400]
    assert len(asked) == len(set(asked)) == 144


def test_what_is_in_the_store_needs_no_server(tmp_path):
    with serving(StandIn("unknown").handler()) as address:
        first = evaluate(f"{address}/v1", tmp_path)
    again = evaluate(f"{address}/v1", tmp_path, "--temperature", "3")
    assert (first.code, again.code) == (0, 0), again.err
    assert "taking it as it was last time" in again.err
    more = evaluate(f"{address}/v1", tmp_path, "-o", "attempts=1", limit=6)
    assert more.code == 1
    assert "the server does not answer" in more.err


def test_interrupting_keeps_what_is_done(tmp_path):
    state = StandIn("vLLM", delay=0.05)
    with serving(state.handler()) as address:
        command = [
            sys.executable, "-m", "judgeharness", "eval", "--task", "nli-sample", "--strategy", "no-explanation",
            "--backend", f"openai:m@{address}/v1", "--store", str(tmp_path / "s.db"), "-o", "concurrency=1",
        ]  # fmt: skip
        running = subprocess.Popen(
            command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            # Where the tests run in the background, a shell has them and their children ignore the signal.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
        while len(state.seen) < 40 and running.poll() is None:
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=30)
        assert running.returncode == 1
        assert "interrupted: what was done is in the store" in err
        before, total = len(state.seen), 24 * 6
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert len(state.seen) - before < total - 20
        assert before < total


def test_no_key_in_store_console_or_cache(stand_in, tmp_path, monkeypatch):
    _, url = stand_in("vLLM")
    monkeypatch.setenv("MY_KEY", "sk-very-secret")
    done = evaluate(url, tmp_path, "-o", "key_variable=MY_KEY")
    assert done.code == 0
    folders = (tmp_path, Path(os.environ["XDG_CACHE_HOME"]))
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    assert files
    assert not any(b"very-secret" in path.read_bytes() for path in files if path.stat().st_size < 1 << 24)
    assert "very-secret" not in done.out + done.err


def test_a_server_may_not_send_without_end(stand_in, backend_at, monkeypatch):
    monkeypatch.setattr("judgeharness.backends.replies.MAX_REPLY_BYTES", 100_000)
    state, url = stand_in("vLLM")
    backend = backend_at(url, attempts=2)
    backend.describe()
    state.fault = lambda number, body: lambda handler: handler.reply(200, {"choices": "x" * 1_000_000})
    with pytest.raises(HarnessError, match="a reply of more than 100,000 bytes"):
        score(backend, groups(1))


def test_a_redirect_is_not_followed(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url, attempts=1)
    backend.describe()
    other, elsewhere = stand_in("vLLM")
    state.fault = lambda number, body: lambda handler: handler.reply(307, {}, location=f"{elsewhere}/chat/completions")
    found = score(backend, groups(1))
    assert isinstance(found["i0"], ScoringFailure)
    assert not other.requests


def test_a_server_that_counts_otherwise_than_the_tokenizer_is_pointed_out(stand_in, backend_at, monkeypatch):
    class Chat(OwnChat):
        def tokenize(self, texts, add_special):
            return [[0] * (len(text.split()) - 1) for text in texts]

    monkeypatch.setattr("judgeharness.backends.openai.server.load_chat", lambda *arguments: Chat())
    monkeypatch.setattr(
        "judgeharness.backends.openai.server.letter_tokens", lambda chat, prefix: {"A": 0, "B": 1, "C": 2}
    )
    _, url = stand_in("llama_cpp.server")
    lines = []
    backend = backend_at(url, lines.append, tokenizer="own")
    score(backend, groups(1))
    assert backend.environment()["prompts_counted_otherwise"] == 6
    assert len([line for line in lines if "the server read" in line]) == 1


def test_a_prompt_that_cannot_be_given_fails_alone(stand_in, backend_at, monkeypatch):
    monkeypatch.setattr("judgeharness.backends.openai.server.load_chat", lambda *arguments: OwnChat())
    _, url = stand_in("vLLM")
    other = PromptGroup("other", (Prompt((Message("user", "\U0010fa7e\U0010fa7f"),), (0, 1, 2)),))
    found = score(backend_at(url, tokenizer="own"), [other, groups(1)[0]])
    assert "reserved" in found["other"].reason
    assert isinstance(found["i0"], OptionScores)


def test_a_real_server_without_the_setting(backend_at):
    """llama_cpp.server computes log-probabilities only where --logits_all is not switched off."""
    process, address = start_server("--logits_all", "false")
    try:
        lines = []
        backend = backend_at(f"{address}/v1", lines.append, model="smollm2")
        (texts,) = backend.generate([replace(groups(1)[0], decoding=Decoding(8))])
        words = ("eval", "--task", "nli-sample", "--limit", "1", "--backend", f"openai:smollm2@{address}/v1")
        refused = judgeharness(*words, "--strategy", "parallel")
        written = judgeharness(*words, "--strategy", "sampling", "-o", "n=2", "--format", "json")
    finally:
        stop_server(process)
    assert "returned no log-probabilities" in lines[-1]
    assert "(start it with --logits_all true); it can be asked for written answers alone" in lines[-1]
    assert not isinstance(backend, Scorer)
    assert texts.texts[0]
    assert refused.code == 2
    assert "strategy parallel needs option scores, and openai:smollm2@" in refused.err
    assert json.loads(written.out)["runs"][0]["n_items"] == 1


def test_extra_fields_go_along_and_are_part_of_the_description(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url, extra_body='{"user": "me"}')
    assert backend.describe()["extra_body"] == {"user": "me"}
    score(backend, groups(1))
    assert all(body["user"] == "me" for body in state.seen)
    for given in ("x", "[1]", '{"user": 1, "user": 2}', '{"a": {"b": 1, "b": 1}}', '{"a": NaN}', '{"a": Infinity}'):
        wrong = judgeharness(
            "eval", "--task", "nli-sample", "--backend", f"openai:m@{url}", "--strategy", "parallel",
            "-o", f"extra_body={given}",
        )  # fmt: skip
        assert wrong.code == 2, given
        assert "extra_body" in wrong.err


def test_bad_addresses_are_usage_errors(backend_at):
    with pytest.raises(InputError):
        backend_at("not an address")
