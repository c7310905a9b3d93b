"""What the probe finds out about each kind of server, from servers that answer as documented, and a real one."""

from dataclasses import replace

import pytest

from judgeharness.backends.openai import server_kinds
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Decoding, GeneratedTexts, OptionScores, ScoringFailure
from tests.backends.openai.standin import KINDS, OwnChat, StandIn
from tests.backends.openai.test_backend import groups
from tests.helpers import serving

EXPECTED = {
    # kind: (route, chat_top, completions_top, takes_ids, gives_ids, raw), without a tokenizer
    "vLLM": ("chat", 20, 20, True, False, True),
    "SGLang": ("chat", 20, 20, True, False, False),
    "llama-server": ("chat", 41, 41, True, True, True),
    "llama_cpp.server": ("chat", 41, 41, False, False, True),
    "Ollama": ("chat", 20, 0, False, False, True),
    "TGI": ("chat", 5, 0, False, False, True),
    "unknown": ("chat", 10, 0, False, False, True),
}
WITH_TOKENIZER = {
    "vLLM": ("completions ids", True, True),
    "SGLang": ("native", True, True),
    "llama-server": ("completions ids", False, True),
    "llama_cpp.server": ("chat", False, False),
    "Ollama": ("chat", False, False),
}


def found(backend):
    return backend.environment()["server"]


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_kind_is_told_and_probed(stand_in, backend_at, kind):
    state, url = stand_in(kind)
    backend = backend_at(url)
    said, can = backend.describe(), found(backend)
    route, chat, completions, ids, gives, raw = EXPECTED[kind]
    assert said["server"] == kind
    assert (can["route"], can["chat_top"], can["completions_top"]) == (route, chat, completions)
    assert (can["takes_ids"], can["gives_ids"], can["raw"]) == (ids, gives, raw)
    assert all(body.get("max_tokens", body.get("max_completion_tokens")) == 1 for body in state.seen)
    assert not any(body.get("echo") or body.get("prompt_logprobs") for body in state.seen)


@pytest.fixture
def tokenizer(monkeypatch):
    """A tokenizer of the stand-in's vocabulary, in place of one from files: letter c is token c."""
    monkeypatch.setattr("judgeharness.backends.openai.server.load_chat", lambda *arguments: OwnChat())


@pytest.mark.usefixtures("tokenizer")
@pytest.mark.parametrize("kind", WITH_TOKENIZER)
def test_with_a_tokenizer_exact_tokens_are_sent_and_named(stand_in, backend_at, kind):
    state, url = stand_in(kind)
    backend = backend_at(url, tokenizer="own")
    said, can = backend.describe(), found(backend)
    route, named, ids = WITH_TOKENIZER[kind]
    assert (can["route"], can["named_tokens"]) == (route, named)
    assert (said["letters"] is not None) == ids
    assert said["letter_form"] == ""
    assert state.requests


def test_openai_itself(stand_in, backend_at, monkeypatch):
    """OpenAI is known by its host; completions are not tried, and the newer field for the limit is found."""
    from judgeharness.backends.openai.address import Address

    state, url = stand_in("OpenAI")
    monkeypatch.setattr(Address, "is_openai", property(lambda self: True))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    state.kind.max_tokens_refused = True
    try:
        backend = backend_at(url)
        said, can = backend.describe(), found(backend)
    finally:
        state.kind.max_tokens_refused = False
    assert (said["server"], can["chat_top"], can["completions_top"]) == ("OpenAI", 20, 0)
    assert can["tokens_field"] == "max_completion_tokens"
    assert all(headers["authorization"] == "Bearer sk-very-secret" for headers in map(lowered, state.headers))
    assert "secret" not in repr(said) + repr(backend.environment())


def lowered(headers):
    return {name.lower(): value for name, value in headers.items()}


def test_a_server_without_log_probabilities_names_its_setting(stand_in, backend_at):
    _, url = stand_in("vLLM", fault=lambda number, body: lambda handler: handler.reply(
        200, {"choices": [{"logprobs": None}], "usage": {"prompt_tokens": 3}}
    ))  # fmt: skip
    with pytest.raises(HarnessError) as caught:
        backend_at(url).describe()
    assert caught.value.lines() == [
        "the server (vLLM) returned no log-probabilities for 'm' on either endpoint",
        "start it with --max-logprobs 20 or more",
    ]


def test_a_model_that_the_server_does_not_have(stand_in, backend_at):
    _, url = stand_in("vLLM", models=("other", "more"))
    with pytest.raises(HarnessError, match="the server has no model 'm': The model `m` does not exist"):
        backend_at(url).describe()


def test_a_key_that_is_not_accepted(stand_in, backend_at):
    _, url = stand_in("unknown", fault=lambda number, body: lambda handler: handler.reply(401, {"error": "who?"}))
    with pytest.raises(HarnessError) as caught:
        backend_at(url).describe()
    assert "does not accept the key (HTTP 401: who?)" in caught.value.message


def test_what_is_known_is_kept_until_the_server_changes(stand_in, backend_at):
    state, url = stand_in("vLLM")
    first = backend_at(url).describe()
    probed = state.requests
    assert backend_at(url).describe() == first
    assert state.requests == probed
    # Another tokenizer, endpoint or prefix is another question.
    backend_at(url, endpoint="completions").describe()
    asked = state.requests
    assert asked > probed
    state.kind = KINDS["llama_cpp.server"]
    assert backend_at(url).describe()["server"] == "llama_cpp.server"
    assert state.requests > asked


def test_a_server_that_is_gone_is_taken_as_it_was(backend_at):
    with serving(StandIn("unknown").handler()) as address:
        first = backend_at(f"{address}/v1").describe()
    lines = []
    assert backend_at(f"{address}/v1", lines.append).describe() == first
    assert "cannot be reached (no connection" in lines[-1]
    with pytest.raises(HarnessError, match="cannot be reached: no connection"):
        backend_at(f"{address}/v1", model="another").describe()


def test_the_real_server(llama_cpp_server, backend_at):
    backend = backend_at(llama_cpp_server, model="smollm2")
    said, can = backend.describe(), found(backend)
    assert (said["server"], said["asked_by"]) == ("llama_cpp.server", "chat")
    assert can["chat_top"] == 100
    assert can["raw"] is True
    assert can["takes_ids"] is False
    spaced = backend_at(llama_cpp_server, model="smollm2", endpoint="completions").describe()
    assert (spaced["asked_by"], spaced["letter_form"] in {"", " "}) == ("completions text", True)


REFUSALS = {
    "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
    "top_p": "Unsupported parameter: 'top_p' is not supported with this model.",
    "temperature": "Unrecognized request argument supplied: temperature",
    "seed": {"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs are not permitted"}]},
}


def refusing(*names):
    """A server that refuses requests with any of these fields, one field at a time."""

    def fault(number, body):
        name = next((each for each in names if each in body), None)
        if name is None:
            return None
        said = REFUSALS[name]
        status, document = (422, said) if isinstance(said, dict) else (400, {"error": {"message": said}})
        return lambda handler: handler.reply(status, document)

    return fault


@pytest.mark.parametrize("kind", ["unknown", "vLLM"])
@pytest.mark.parametrize(
    "names", [("top_p",), ("max_tokens", "top_p"), ("temperature", "seed"), ("seed", "top_p", "max_tokens")]
)
def test_fields_that_are_refused_are_left_out_of_all_requests(stand_in, backend_at, kind, names):
    state, url = stand_in(kind, fault=refusing(*names))
    first = backend_at(url)
    assert found(first)["tokens_field"] == ("max_completion_tokens" if "max_tokens" in names else "max_tokens")
    assert found(first)["left_out"] == [each for each in ("top_p", "temperature", "seed") if each in names]
    # Also from the cache.
    for backend in (first, backend_at(url)):
        before, answered = state.requests, len(state.seen)
        (scored,) = backend.score([groups(1)[0]])
        (written,) = backend.generate([replace(groups(1)[0], decoding=Decoding(4, 1.0))])
        assert isinstance(scored, OptionScores)
        assert isinstance(written, GeneratedTexts)
        assert state.requests - before == len(state.seen) - answered == 12


def test_what_is_refused_and_is_no_default_is_not_left_out(stand_in, backend_at):
    _, url = stand_in("unknown", fault=refusing("temperature", "seed"))
    backend = backend_at(url)
    for decoding in (Decoding(4, 0.5), Decoding(4, 1.0, 7)):
        (failed,) = backend.generate([replace(groups(1)[0], decoding=decoding)])
        assert isinstance(failed, ScoringFailure)
        assert "temperature" in failed.reason or "seed" in failed.reason


def test_a_temperature_out_of_range_is_not_left_out(stand_in, backend_at):
    def fault(number, body):
        if body.get("temperature", 1) <= 1:
            return None
        return lambda handler: handler.reply(400, {"error": {"message": "temperature above 1 is not supported"}})

    _, url = stand_in("unknown", fault=fault)
    assert found(backend_at(url))["left_out"] == []
    assert found(backend_at(url))["raw"] is None


def saying(status, content, kind="application/json", only=None):
    """Every POST is answered in this way; of one path only, and 404 elsewhere, if a path is given."""

    def fault(number, body):
        def reply(handler):
            if only is not None and not handler.path.endswith(only):
                return handler.reply(404, {"error": {"message": "no such path"}})
            data = content.encode()
            handler.send_response(status)
            handler.send_header("content-type", kind)
            handler.send_header("content-length", str(len(data)))
            handler.end_headers()
            return handler.wfile.write(data)

        return reply

    return fault


SAID = {
    "roles": (saying(400, '{"error": {"message": "Roles must alternate in THIS model"}}'),
              "HTTP 400: Roles must alternate in THIS model"),
    "chat alone is known": (saying(400, '{"error": {"message": "value >= 16"}}', only="chat/completions"),
                            "HTTP 400: value >= 16"),
    "completions alone are known": (saying(400, '{"error": {"message": "no"}}', only="v1/completions"), "HTTP 400: no"),
    "fastapi": (saying(422, '{"detail": [{"loc": ["body", "messages"], "msg": "Input should be text"}]}'),
                "HTTP 422: body.messages: Input should be text"),
    "a stream": (saying(200, 'data: {"choices": []}\n\ndata: [DONE]', "text/event-stream"),
                 'text/event-stream: data: {"choices": []} data: [DONE]'),
    "a page": (saying(200, "<html>Sign in</html>", "text/html"), "text/html: <html>Sign in</html>"),
    "nothing": (saying(200, ""), "application/json: empty"),
    "broken": (saying(500, "Traceback: list index out of range", "text/plain"),
               "HTTP 500: Traceback: list index out of range"),
    "an error in the body": (saying(200, '{"error": "Unexpected endpoint"}'), "an error: Unexpected endpoint"),
    "the wrong path": (saying(404, "404 page not found", "text/plain"), "HTTP 404: 404 page not found"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
def test_the_servers_last_words_are_quoted(stand_in, backend_at, name):
    fault, words = SAID[name]
    state, url = stand_in("unknown", fault=fault)
    with pytest.raises(HarnessError) as caught:
        backend_at(url).describe()
    assert words in caught.value.message
    assert "no log-probabilities" not in caught.value.message
    assert "/v1 missing" not in (caught.value.hint or "")
    assert state.requests <= 14


@pytest.mark.parametrize("name", ["the wrong path", "a page"])
def test_an_address_without_v1_is_asked_about(stand_in, backend_at, name):
    _, url = stand_in("unknown", fault=SAID[name][0])
    with pytest.raises(HarnessError) as caught:
        backend_at(url.removesuffix("/v1")).describe()
    assert SAID[name][1] in caught.value.message
    assert caught.value.hint == f"is /v1 missing? Try openai:m@{url}"


def test_words_stand_beside_what_the_server_can_be_asked_for(stand_in, backend_at):
    def fault(number, body):
        if "logprobs" not in body:
            return None
        return lambda handler: handler.reply(422, {"detail": [{"loc": ["body", "logprobs"], "msg": "Extra inputs"}]})

    _, url = stand_in("unknown", fault=fault)
    lines = []
    backend_at(url, lines.append).describe()
    assert lines[-1] == (
        "the server returned no log-probabilities for 'm' on either endpoint: HTTP 422: body.logprobs: Extra inputs "
        "(see its documentation for log-probabilities); it can be asked for written answers alone"
    )


def test_every_kind_is_one_that_can_be_told():
    known = set(server_kinds.KINDS)
    assert (
        set(server_kinds.OWNERS.values()) | set(server_kinds.TOLD_BY.values()) | {"OpenAI", server_kinds.UNKNOWN}
        == known
    )
    assert OpenAIOptions().concurrency > 1
