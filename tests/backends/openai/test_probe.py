"""What the probe finds out about each kind of server, from servers that answer as documented, and a real one."""

import pytest

from judgeharness.backends.openai import servers
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.errors import HarnessError
from tests.backends.openai.standin import KINDS, StandIn
from tests.helpers import serving

EXPECTED = {
    # kind: (road, chat_top, completions_top, takes_ids, gives_ids, raw), without a tokenizer
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
    road, chat, completions, ids, gives, raw = EXPECTED[kind]
    assert said["server"] == kind
    assert (can["road"], can["chat_top"], can["completions_top"]) == (road, chat, completions)
    assert (can["takes_ids"], can["gives_ids"], can["raw"]) == (ids, gives, raw)
    assert all(body.get("max_tokens", body.get("max_completion_tokens")) == 1 for body in state.seen)
    assert not any(body.get("echo") or body.get("prompt_logprobs") for body in state.seen)


@pytest.fixture
def tokenizer(monkeypatch):
    """A tokenizer of the stand-in's vocabulary, in place of one from files: letter c is token c."""

    class Chat:
        template = "own"

        def render(self, messages, answer_follows=True):
            return " ".join(message.content for message in messages)

        def encode(self, texts):
            return [[ord(char) - 65 if "A" <= char <= "Z" else 40 for char in text] for text in texts]

        def decode(self, tokens):
            return "".join(chr(65 + token) if token < 26 else "?" for token in tokens)

    monkeypatch.setattr("judgeharness.backends.openai.server.load_chat", lambda name, context: Chat())


@pytest.mark.usefixtures("tokenizer")
@pytest.mark.parametrize("kind", WITH_TOKENIZER)
def test_with_a_tokenizer_exact_tokens_are_sent_and_named(stand_in, backend_at, kind):
    state, url = stand_in(kind)
    backend = backend_at(url, tokenizer="own")
    said, can = backend.describe(), found(backend)
    road, named, ids = WITH_TOKENIZER[kind]
    assert (can["road"], can["named_tokens"]) == (road, named)
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
    assert "cannot be asked (no connection" in lines[-1]
    with pytest.raises(HarnessError, match="cannot be asked: no connection"):
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


def test_every_kind_is_one_that_can_be_told():
    known = set(servers.KINDS)
    assert set(servers.OWNERS.values()) | set(servers.TOLD_BY.values()) | {"OpenAI", servers.UNKNOWN} == known
    assert OpenAIOptions().concurrency > 1
