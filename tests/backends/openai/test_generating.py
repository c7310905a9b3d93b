"""Answers in writing: what servers are asked, and what a real one writes."""

from dataclasses import replace

import pytest

from judgeharness.backends.contract import Scorer, TextGenerator
from judgeharness.backends.openai import server_kinds
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import Decoding, GeneratedTexts, Message, Prompt, PromptGroup
from tests.backends.openai.standin import KINDS
from tests.backends.openai.test_budget import Limited


def group(temperature=1.0, tokens=50, uid="u", questions=("first question", "second question")):
    prompts = tuple(Prompt((Message("user", text),), (0, 1)) for text in questions)
    return PromptGroup(uid, prompts, Decoding(tokens, temperature, 5))


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "OpenAI"])
def test_every_kind_of_server_writes(kind, stand_in, backend_at):
    state, url = stand_in(kind)
    backend = backend_at(url)
    assert isinstance(backend, TextGenerator)
    assert isinstance(backend, Scorer)
    (texts,) = backend.generate([group()])
    assert texts == GeneratedTexts("u", ("t=1.0 seed=5 first question", "t=1.0 seed=6 second question"), (False, False))
    for body in state.seen[-2:]:
        assert body["top_p"] == 1
        assert body.items() >= dict(server_kinds.KINDS[kind].draws_from_all).items()
        assert "logprobs" not in body
        assert body.get("chat_template_kwargs", {}) == (
            {"enable_thinking": False} if server_kinds.KINDS[kind].thinks else {}
        )


def test_equal_prompts_are_drawn_apart_and_asked_once_where_nothing_is_drawn(stand_in, backend_at):
    state, url = stand_in("vLLM")
    backend = backend_at(url)
    before = state.requests
    (drawn,) = backend.generate([group(questions=("same",) * 3)])
    assert state.requests == before + 3
    assert [text.split()[1] for text in drawn.texts] == ["seed=5", "seed=6", "seed=7"]
    (sure,) = backend.generate([group(temperature=0.0, questions=("same",) * 3)])
    assert state.requests == before + 4
    assert set(sure.texts) == {"t=0.0 seed=0 same"}


def test_limits_are_reported(stand_in, backend_at):
    _, url = stand_in("vLLM")
    (texts,) = backend_at(url).generate([group(tokens=2)])
    assert texts.cut == (True, True)


def test_a_budget_counts_what_may_be_written(stand_in, backend_at):
    """Two prompts of a few tokens each, with answers of up to 50, do not fit into 60 tokens."""
    _, url = stand_in("vLLM")
    known = backend_at(url)
    known.describe()
    backend = backend_at(url)
    backend.describe()
    backend.meter(Limited(tokens=60))
    with pytest.raises(HarnessError, match="has no room for another item"):
        list(backend.generate([group()]))
    enough = backend_at(url)
    enough.meter(Limited(tokens=400))
    assert len(list(enough.generate([group()]))) == 1


def test_a_real_server_writes(llama_cpp_server, backend_at):
    backend = backend_at(llama_cpp_server, model="smollm2")
    asked = [group(0.0, 12, uid) for uid in ("a", "b")]
    found = {each.uid: each for each in backend.generate(asked)}
    assert found["a"].texts == found["b"].texts
    assert all(text.strip() for text in found["a"].texts)
    (drawn,) = backend.generate([group(1.0, 12, questions=("Name an animal.",) * 4)])
    (again,) = backend.generate([group(1.0, 12, questions=("Name an animal.",) * 4)])
    assert len(set(drawn.texts)) > 1
    assert set(drawn.texts) & set(again.texts)
    spaced = backend_at(llama_cpp_server, model="smollm2", endpoint="completions")
    assert next(iter(spaced.generate([replace(asked[0], uid="c")]))).texts[0]
