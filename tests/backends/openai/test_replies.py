"""Replies as servers document them. Those marked with a version were given by that server itself."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.openai.client import FaultError
from judgeharness.backends.openai.replies import Answer, Candidate, Text, read_answer, read_text

OPENAI_CHAT = {  # https://platform.openai.com/docs/api-reference/chat/object
    "id": "chatcmpl-123", "object": "chat.completion", "model": "gpt-4o-mini", "system_fingerprint": "fp_44709d6fcb",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "logprobs": {"content": [{
        "token": "A", "logprob": -0.31725305, "bytes": [65], "top_logprobs": [
            {"token": "A", "logprob": -0.31725305, "bytes": [65]},
            {"token": " A", "logprob": -1.3190403, "bytes": [32, 65]},
        ]}], "refusal": None}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10},
}  # fmt: skip
OPENAI_COMPLETION = {  # https://platform.openai.com/docs/api-reference/completions/object
    "id": "cmpl-1", "object": "text_completion", "choices": [{"text": " A", "index": 0, "finish_reason": "length",
        "logprobs": {"tokens": [" A"], "token_logprobs": [-0.5], "top_logprobs": [{" A": -0.5, " B": -1.5}],
                     "text_offset": [11]}}],
    "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
}  # fmt: skip
VLLM_NAMED = {  # vLLM 0.32.0, logprob_token_ids and return_tokens_as_token_ids
    "object": "text_completion", "choices": [{"index": 0, "text": " USS", "logprobs": {
        "text_offset": [0], "token_logprobs": [-10.8], "tokens": ["token_id:27880"],
        "top_logprobs": [{"token_id:27880": -10.8, "token_id:49": -0.7, "token_id:50": -1.4, "token_id:51": -2.0}]},
        "finish_reason": "length", "token_ids": None}],
    "usage": {"prompt_tokens": 3, "total_tokens": 4, "completion_tokens": 1, "prompt_tokens_details": None},
}  # fmt: skip
VLLM_CHAT = {  # vLLM 0.32.0, return_tokens_as_token_ids: bytes are of "token_id:0" itself, but for the sampled token
    "choices": [{"message": {"content": " accord"}, "logprobs": {"content": [{
        "token": "token_id:10465", "logprob": -10.8, "bytes": [32, 97, 99, 99, 111, 114, 100], "top_logprobs": [
            {"token": "token_id:0", "logprob": -1.5, "bytes": [116, 111, 107, 101, 110, 95, 105, 100, 58, 48]}]}]}}],
    "usage": {"prompt_tokens": 38, "total_tokens": 39, "completion_tokens": 1},
}  # fmt: skip
LLAMA_SERVER = {  # llama-server of llama.cpp 0.5.0-dev, /v1/completions; the chat endpoint has the same logprobs
    "choices": [{"text": "I", "index": 0, "logprobs": {"content": [{"id": 57, "token": "I", "bytes": [73],
        "logprob": -2.904, "top_logprobs": [
            {"id": 49, "token": "A", "bytes": [65], "logprob": -2.200}, {"id": 57, "token": "I", "bytes": [73],
             "logprob": -2.904}]}]}, "finish_reason": "length"}],
    "object": "text_completion", "usage": {"completion_tokens": 1, "prompt_tokens": 14, "total_tokens": 15},
    "timings": {"cache_n": 0, "prompt_n": 14},
}  # fmt: skip
LLAMA_CPP_SERVER_CHAT = {  # llama_cpp.server 0.3.36: no bytes, and the sampled token among the top ones
    "choices": [{"index": 0, "message": {"content": "1", "role": "assistant"}, "logprobs": {"content": [
        {"token": "1", "logprob": -3.350, "bytes": None, "top_logprobs": [
            {"token": "A", "logprob": -0.657, "bytes": None}, {"token": "1", "logprob": -3.350, "bytes": None}]}],
        "refusal": None}, "finish_reason": "length"}],
    "usage": {"prompt_tokens": 38, "completion_tokens": 1, "total_tokens": 39},
}  # fmt: skip
OLLAMA = {  # https://docs.ollama.com/api/openai-compatibility, logprobs since 0.12.11
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "A"}, "finish_reason": "length",
        "logprobs": {"content": [{"token": "A", "logprob": -0.1, "bytes": [65], "top_logprobs": [
            {"token": "A", "logprob": -0.1, "bytes": [65]}, {"token": "B", "logprob": -2.4, "bytes": [66]}]}]}}],
    "usage": {"prompt_tokens": 30, "completion_tokens": 1, "total_tokens": 31},
}  # fmt: skip
SGLANG = {  # https://docs.sglang.io/basic_usage/native_api.html, /generate with return_logprob and token_ids_logprob
    "text": "A", "output_ids": [49], "meta_info": {"prompt_tokens": 12, "completion_tokens": 1,
        "output_token_logprobs": [[-0.2, 49, None]], "output_top_logprobs": [[[-0.2, 49, None], [-2.0, 50, None]]],
        "output_token_ids_logprobs": [[[-0.2, 49, None], [-9.5, 51, None]]]},
}  # fmt: skip


def texts(answer: Answer) -> list[tuple[str | None, int | None, float]]:
    return [(each.text, each.token, each.logprob) for each in answer.candidates]


def test_openai():
    answer = read_answer(OPENAI_CHAT)
    assert texts(answer) == [("A", None, -0.31725305), (" A", None, -1.3190403)]
    assert (answer.prompt_tokens, answer.answer_tokens) == (9, 1)
    assert texts(read_answer(OPENAI_COMPLETION)) == [(" A", None, -0.5), (" B", None, -1.5)]


def test_vllm():
    answer = read_answer(VLLM_NAMED)
    assert texts(answer) == [(None, 27880, -10.8), (None, 49, -0.7), (None, 50, -1.4), (None, 51, -2.0)]
    assert answer.sampled == Candidate(-10.8, None, 27880)
    assert texts(read_answer(VLLM_CHAT)) == [(None, 0, -1.5)]


def test_llama_server_and_llama_cpp_server():
    assert texts(read_answer(LLAMA_SERVER)) == [("A", 49, -2.2), ("I", 57, -2.904)]
    answer = read_answer(LLAMA_CPP_SERVER_CHAT)
    assert texts(answer) == [("A", None, -0.657), ("1", None, -3.35)]
    assert answer.sampled == Candidate(-3.35, "1")


def test_ollama_and_sglang():
    assert texts(read_answer(OLLAMA)) == [("A", None, -0.1), ("B", None, -2.4)]
    answer = read_answer(SGLANG)
    assert texts(answer) == [(None, 49, -0.2), (None, 51, -9.5), (None, 50, -2.0)]
    assert answer.prompt_tokens == 12


def test_bytes_count_where_the_text_is_not_exact():
    reply = json.loads(json.dumps(OPENAI_CHAT))
    reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["token"] = "▁A"
    assert texts(read_answer(reply))[1][0] == " A"
    # Half of a letter: no text, so it stays as it is written.
    reply["choices"][0]["logprobs"]["content"][0]["top_logprobs"][1]["bytes"] = [195]
    assert texts(read_answer(reply))[1][0] == "▁A"


@pytest.mark.parametrize(
    "reply",
    [
        {}, [], None, "text", {"choices": []}, {"choices": [{"logprobs": None}]}, {"choices": [{"message": {}}]},
        {"choices": [{"logprobs": {"content": []}}]}, {"choices": [{"logprobs": {"content": None, "tokens": []}}]},
        {"choices": [{"logprobs": {"content": [{"token": "A", "logprob": -1, "top_logprobs": []}]}}]},
        {"choices": [{"logprobs": {"content": [{"token": "A", "logprob": -1, "top_logprobs": [{"token": 3}]}]}}]},
        {"choices": [{"logprobs": {"tokens": ["A"], "top_logprobs": [{"A": "likely"}]}}]},
        {"choices": [{"logprobs": {"tokens": ["A"], "top_logprobs": [{"A": math.nan}]}}]},
        {"choices": [{"logprobs": {"tokens": ["A"], "top_logprobs": [{"A": 2.5}]}}]},
        {"choices": [{"logprobs": {"tokens": ["A"], "top_logprobs": [None]}}]},
        {"meta_info": {"output_top_logprobs": [[["x"]]]}}, {"error": {"message": "no"}},
    ],
)  # fmt: skip
def test_what_holds_no_answer_is_never_taken_for_one(reply):
    with pytest.raises(FaultError):
        read_answer(reply)


WORDS = (
    "choices", "logprobs", "content", "top_logprobs", "token", "tokens", "logprob", "bytes", "id", "meta_info", "usage",
    "prompt_tokens",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.floats() | st.sampled_from(["A", "token_id:3", "x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_an_answer_or_a_fault(reply):
    try:
        answer = read_answer(reply)
    except FaultError:
        return
    assert answer.candidates
    assert all(-9000 < each.logprob <= 0 for each in answer.candidates)
    assert sum(math.exp(each.logprob) for each in set(answer.candidates)) <= 1.01


@given(JSON)
def test_any_entry_is_an_answer_or_a_fault(entry):
    for reply in (
        {"choices": [{"logprobs": {"content": [entry]}}]},
        {"choices": [{"logprobs": {"content": [{"token": "A", "logprob": -1, "top_logprobs": [entry]}]}}]},
        {"choices": [{"logprobs": {"tokens": [entry], "top_logprobs": [entry]}}]},
        {"meta_info": {"output_top_logprobs": [entry], "output_token_ids_logprobs": [entry]}},
    ):
        test_any_json_is_an_answer_or_a_fault.hypothesis.inner_test(reply)


TEXTS = {
    "chat": ({"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}, Text("Yes.", False, None, None)),
    "completion": (
        {
            "choices": [{"text": " Ye", "finish_reason": "length"}],
            "usage": {"prompt_tokens": 4, "completion_tokens": 1},
        },
        Text(" Ye", True, 4, 1),
    ),
    "refusal": ({"choices": [{"message": {"content": None, "refusal": "No."}}]}, Text("", False, None, None)),
}


@pytest.mark.parametrize("name", TEXTS)
def test_texts_in_replies(name):
    reply, expected = TEXTS[name]
    assert read_text(reply) == expected


@pytest.mark.parametrize(
    "reply",
    [
        None,
        [],
        {},
        {"choices": []},
        {"choices": [{}]},
        {"choices": [{"text": 3}]},
        {"choices": [{"message": {"content": ["x"]}}]},
    ],
)
def test_replies_without_a_text(reply):
    with pytest.raises(FaultError, match="no text"):
        read_text(reply)


@pytest.mark.parametrize("count", [1 << 63, -1, True, "7", 1.5])
def test_counts_of_tokens_that_make_no_sense_are_none(count):
    reply = {"choices": [{"text": "a"}], "usage": {"prompt_tokens": count, "completion_tokens": 3}}
    found = read_text(reply)
    assert (found.prompt_tokens, found.answer_tokens) == (None, 3)
