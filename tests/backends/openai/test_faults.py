"""Errors that servers report, in the status or in the body, and what becomes of the run."""

import json

import pytest

from judgeharness.backends.openai.faults import error_in, message, status_of
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import OptionScores, ScoringFailure
from tests.backends.openai.test_backend import evaluate, groups, score

FLAGGED = {"code": 403, "message": "m requires moderation. Your input was flagged.", "metadata": {"reasons": ["x"]}}


def replying(status, document, when=lambda text: True):
    """A fault that answers prompts of items in this way."""

    def fault(number, body):
        text = json.dumps(body)
        return (lambda handler: handler.reply(status, document)) if "item" in text and when(text) else None

    return fault


def in_body(shape, **error):
    return {"choices": None, "error": error} if shape == "top" else {"choices": [{"error": error}]}


def opened(backend_at, url, **options):
    backend = backend_at(url, **options)
    backend.describe()
    return backend


@pytest.mark.parametrize("shape", ["top", "choice"])
@pytest.mark.parametrize("code", [429, "429"])
def test_a_body_with_429_is_asked_again(stand_in, backend_at, shape, code):
    left = [2]

    def fault(number, body):
        if "item" not in json.dumps(body) or not left[0]:
            return None
        left[0] -= 1
        return lambda handler: handler.reply(200, in_body(shape, code=code, message="slow down"), Retry_After="0")

    _, url = stand_in("unknown", fault=fault)
    backend = opened(backend_at, url)
    found = score(backend, groups(2))
    assert all(isinstance(each, OptionScores) for each in found.values())
    assert backend.environment()["requests_repeated"] == 2


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"detail": "Too Many Requests"}, 429),
        ({"code": 429, "msg": "later"}, 429),
        ({"code": 401, "message": "no such key"}, 401),
        ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, 429),
        ({"success": False, "errors": [{"code": 503, "message": "full"}]}, 503),
        ([{"error": {"code": 429, "message": "later"}}], 429),
        ({"error": {"code": "rate_limit_exceeded", "message": "later"}}, 429),
        ({"error": {"type": "overloaded_error", "message": "later"}}, 429),
        ({"error": {"status": 429, "message": "later"}}, 429),
        ({"error": "Internal"}, None),
    ],
)
def test_the_status_of_an_error_is_found_in_many_shapes(document, status):
    found = error_in(document)
    assert found is not None
    assert status_of(found) == status
    assert message(found) or message(document)


@pytest.mark.parametrize(
    "reply",
    [
        {"choices": [], "detail": "x"},
        {"meta_info": {}, "message": "x"},
        {"data": [], "message": "ok"},
        {"version": "1"},
        {"prompt": "x", "message": "x"},
        [],
        None,
    ],
)
def test_answers_are_no_errors(reply):
    assert error_in(reply) is None


@pytest.mark.parametrize("status", [400, 403, 429])
def test_no_credit_ends_the_run_whatever_the_status(stand_in, backend_at, status):
    document = {"error": {"message": "Insufficient account balance"}}
    _, url = stand_in("unknown", fault=replying(status, document))
    with pytest.raises(HarnessError, match="no credit left"):
        score(opened(backend_at, url, attempts=2), groups(1))


def test_a_filtered_answer_says_so_and_is_asked_once(stand_in, backend_at):
    document = {"choices": [{"finish_reason": "content_filter", "message": {"content": ""}}]}
    _, url = stand_in("unknown", fault=replying(200, document, lambda text: "item 1" in text))
    found = score(opened(backend_at, url, attempts=2), groups(2))
    assert found["i1"].reason == "the server filtered its answer (finish_reason: content_filter)"


@pytest.mark.parametrize("error", [{"code": 429, "message": "Quota for today"}, {"code": 503, "message": "full"}])
def test_a_body_with_an_overload_ends_the_run_in_the_servers_words(stand_in, backend_at, error):
    _, url = stand_in("unknown", fault=replying(200, in_body("top", **error)))
    with pytest.raises(HarnessError, match=f"HTTP {error['code']}: {error['message']}"):
        score(opened(backend_at, url, attempts=2), groups(1))


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (in_body("choice", code=502, message="gone"), "HTTP 502: gone, in 2 attempts"),
        (in_body("top", message="odd"), "the server reports an error: odd, in 2 attempts"),
        ({"error": "a text"}, "the server reports an error: a text, in 2 attempts"),
        (in_body("top", code=0, message="zero"), "the server reports an error: zero, in 2 attempts"),
        (in_body("top", code="provider_error", message="soon"), "the server reports an error: soon, in 2 attempts"),
        ({"object": "error", "message": "busy", "code": 50001}, "the server reports an error: busy, in 2 attempts"),
        (in_body("top", code="400", message="too long"), "the server refuses a prompt (HTTP 400): too long"),
    ],
)
def test_a_body_with_an_error_fails_an_item_in_the_servers_words(stand_in, backend_at, document, reason):
    _, url = stand_in("unknown", fault=replying(200, document, lambda text: "item 1" in text))
    found = score(opened(backend_at, url, attempts=2), groups(3))
    assert found["i1"] == ScoringFailure("i1", reason)
    assert isinstance(found["i2"], OptionScores)


@pytest.mark.parametrize("nothing", [None, {}, ""])
def test_an_error_that_is_empty_is_none(stand_in, backend_at, nothing):
    _, url = stand_in("unknown", change=lambda body, document: document | {"error": nothing})
    assert isinstance(score(backend_at(url), groups(1))["i0"], OptionScores)


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (402, {"error": {"message": "Insufficient Balance", "code": "invalid_request_error"}}),
        (402, b"Insufficient Balance"),
        (200, in_body("top", code=402, message="Insufficient Balance")),
        (200, in_body("choice", code="402", message="Insufficient Balance")),
        (429, {"error": {"message": "Insufficient Balance", "code": "insufficient_quota"}}),
    ],
)
def test_a_run_without_credit_ends_at_once_and_resumes(stand_in, tmp_path, status, document):
    state, url = stand_in("unknown")
    evaluate(url, tmp_path, store="known.db", limit=1)
    answered = len(state.seen)
    reply = document if isinstance(document, dict) else {"message": document.decode()}
    state.fault = lambda number, body: (
        (lambda handler: handler.reply(status, reply)) if len(state.seen) >= answered + 20 else None
    )
    ended = evaluate(url, tmp_path, "-o", "concurrency=1", limit=8)
    assert ended.code == 1
    assert "the account has no credit left" in ended.err
    assert "Insufficient Balance" in ended.err
    assert "the same command resumes the run" in ended.err
    refused = state.requests
    state.fault = None
    done = evaluate(url, tmp_path, limit=8)
    assert done.code == 0, done.err
    assert 0 < state.requests - refused <= 48 - 18
    assert json.loads(done.out)["runs"][0]["n_failed"] == 0


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (403, {"error": FLAGGED}),
        (403, {"error": {"message": "no", "code": "content_policy_violation"}}),
        (200, in_body("top", **FLAGGED)),
        (403, {"error": {"message": "Forbidden"}}),
    ],
)
def test_a_403_for_one_prompt_fails_its_item(stand_in, backend_at, status, document):
    """With words of moderation, or without them after other prompts were accepted."""
    _, url = stand_in("unknown", fault=replying(status, document, lambda text: "item 1" in text))
    found = score(opened(backend_at, url), groups(3))
    reason = message(document) or message(error_in(document))
    assert found["i1"] == ScoringFailure("i1", f"the server refuses a prompt (HTTP 403): {reason}")
    assert isinstance(found["i0"], OptionScores)
    assert isinstance(found["i2"], OptionScores)


def test_a_403_before_anything_was_accepted_is_about_the_key(stand_in, backend_at):
    state, url = stand_in("unknown")
    backend_at(url).describe()
    state.fault = lambda number, body: lambda handler: handler.reply(403, {"error": {"message": "who?"}})
    # What the server can do is known, so the first prompt of the run is the first request with the key.
    with pytest.raises(HarnessError, match=r"does not accept the key \(HTTP 403: who\?\)"):
        score(opened(backend_at, url), groups(3))
    with pytest.raises(HarnessError, match="does not accept the key"):
        backend_at(url, endpoint="chat").describe()


def test_a_flagged_first_input_is_not_about_the_key(stand_in, backend_at):
    state, url = stand_in("unknown")
    backend_at(url).describe()
    state.fault = replying(403, {"error": FLAGGED}, lambda text: "item 0" in text)
    found = score(opened(backend_at, url), groups(2))
    assert [type(found[uid]) for uid in ("i0", "i1")] == [ScoringFailure, OptionScores]


def test_many_403_in_a_row_end_the_run(stand_in, backend_at):
    state, url = stand_in("unknown", fault=replying(403, {"error": {"message": "Forbidden"}}))
    backend = opened(backend_at, url, concurrency=1)
    before = state.requests
    with pytest.raises(HarnessError, match=r"refused 16 prompts in a row \(HTTP 403: Forbidden\)"):
        score(backend, groups(40))
    assert state.requests == before + 16


def test_many_flagged_inputs_in_a_row_do_not_end_the_run(stand_in, backend_at):
    _, url = stand_in("unknown", fault=replying(403, {"error": FLAGGED}, lambda text: "item 39" not in text))
    found = score(opened(backend_at, url, concurrency=1), groups(40))
    assert sum(isinstance(each, ScoringFailure) for each in found.values()) == 39


@pytest.mark.parametrize("status", [401, 200])
def test_a_401_ends_the_run_also_after_others_were_accepted(stand_in, backend_at, status):
    document = {"error": {"message": "expired", "code": 401}}
    _, url = stand_in("unknown", fault=replying(status, document, lambda text: "item 1" in text))
    with pytest.raises(HarnessError, match=r"does not accept the key \(HTTP 401: expired\)"):
        score(opened(backend_at, url, concurrency=1), groups(3))


def test_paths_that_only_tell_the_kind_of_server_may_be_forbidden(stand_in, backend_at):
    state, url = stand_in("unknown")
    state.forbidden = True
    assert isinstance(score(backend_at(url), groups(1))["i0"], OptionScores)


def test_a_server_that_answers_every_path_is_of_no_kind(stand_in, backend_at):
    from judgeharness.backends.openai.server_kinds import TOLD_BY

    state, url = stand_in("unknown")
    state.kind = type(state.kind)("somebody", completions=0, paths={
        path.removeprefix("root:"): {"detail": "Not Found"} for path in TOLD_BY
    })  # fmt: skip
    assert backend_at(url).describe()["server"] == "unknown"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "a  b\n c"}}, "a b c"),
        ({"error": "text"}, "text"),
        ({"detail": "text"}, "text"),
        ({"detail": [{"loc": ["body", "logprobs"], "msg": "Extra inputs"}, {"msg": "more"}]},
         "body.logprobs: Extra inputs; more"),
        ([{"error": {"code": 429, "message": "list"}}], "list"),
        ({"error": {"message": "Provider returned error", "metadata": {"raw": "Too Many"}}},
         "Provider returned error (Too Many)"),
        ({"error": {"message": "Unsupported parameter", "param": "top_p"}}, "Unsupported parameter (top_p)"),
        ({"error": {"message": {"error": {"message": "deep"}}}}, "deep"),
        ({"error": {"message": "\x1b[31mred\u202e"}}, "[31mred"),
        ({"x": 1}, ""), (None, ""), ([], ""), (3, ""), ("text", "text"),
    ],
)  # fmt: skip
def test_words_of_errors(body, said):
    assert message(body) == said


def test_codes_of_errors():
    codes = [429, "429", " 429 ", 200, "abc", None, True, 50001, "4290", 429.5]
    assert [status_of({"code": code}) for code in codes] == [429] * 3 + [None] * 7
    assert status_of("text") is None
