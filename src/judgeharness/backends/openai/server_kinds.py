"""Kinds of servers: how one is told, and what it is asked besides OpenAI's own fields.

Sources: the API pages of OpenAI, vLLM (docs.vllm.ai, serving/openai_compatible_server), SGLang (docs.sglang.io,
basic_usage), llama.cpp (tools/server/README.md), llama-cpp-python, Ollama (docs/openai.md), TGI (huggingface.co/docs).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ServerKind:
    """What can be relied on without asking.

    native: a path of its own that scores named tokens. named_tokens: the field that asks for log-probabilities of token
    ids, if there is one. ids_field: what makes it write token ids for texts. thinks: whether it takes
    `chat_template_kwargs`, by which thinking is switched off. extra: more fields of every request. draws_from_all: what
    makes it draw from all tokens, each as probable as the model says. setting: what to change on the server where it
    returns no log-probabilities.
    """

    name: str
    native: str | None = None
    named_tokens: str | None = None
    ids_field: Mapping[str, Any] = field(default_factory=dict)
    thinks: bool = False
    extra: Mapping[str, Any] = field(default_factory=dict)
    draws_from_all: Mapping[str, Any] = field(default_factory=dict)
    setting: str = "see its documentation for log-probabilities"


KINDS = {
    kind.name: kind
    for kind in (
        ServerKind("OpenAI", setting="this model may not give any: reasoning models do not"),
        ServerKind(
            "vLLM",
            named_tokens="logprob_token_ids",
            ids_field={"return_tokens_as_token_ids": True},
            thinks=True,
            draws_from_all={"top_k": -1, "min_p": 0, "repetition_penalty": 1},
            setting="start it with --max-logprobs 20 or more",
        ),
        ServerKind(
            "SGLang",
            native="root:/generate",
            named_tokens="token_ids_logprob",
            thinks=True,
            draws_from_all={"top_k": -1, "min_p": 0, "repetition_penalty": 1},
        ),
        ServerKind(
            "llama-server",
            thinks=True,
            extra={"cache_prompt": True},
            draws_from_all={"top_k": 0, "min_p": 0, "repeat_penalty": 1},
        ),
        ServerKind(
            "llama_cpp.server",
            draws_from_all={"top_k": 0, "min_p": 0, "repeat_penalty": 1},
            setting="start it with --logits_all true",
        ),
        ServerKind("Ollama", setting="it gives log-probabilities from version 0.12.11 on"),
        ServerKind("TGI", setting="start it with --max-top-n-tokens 5 or more"),
        ServerKind(UNKNOWN),
    )
}

OWNERS = {
    "vllm": "vLLM",
    "sglang": "SGLang",
    "llamacpp": "llama-server",
    "me": "llama_cpp.server",
    "library": "Ollama",
}
"""What kinds of server write as the owner of a model in /v1/models."""

TOLD_BY = {
    "root:/api/version": "Ollama",
    "root:/get_model_info": "SGLang",
    "root:/props": "llama-server",
    "root:/info": "TGI",
    "root:/version": "vLLM",
}
"""Paths that only one kind of server answers, in the order in which they are asked."""

FIELDS_THERE = ("version", "model_path", "build_info", "default_generation_settings", "model_id")
"""Fields of the replies on those paths: some servers answer any path, with a reply that says nothing."""

IDENTIFYING = ("id", "root", "meta", "owned_by", "digest")
VARYING_META = ("n_ctx",)


def owner_kind(entry: Mapping[str, Any]) -> str | None:
    """The kind of server that a model's entry in /v1/models tells."""
    return OWNERS.get(str(entry.get("owned_by", "")))


def own_entry(listing: Any, model: str) -> Mapping[str, Any]:
    """The entry of a model in the reply of /v1/models; that of the only model where the name is not found."""
    entries = listing.get("data") if isinstance(listing, dict) else None
    found = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    named = [each for each in found if each.get("id") == model]
    return (named or (found if len(found) == 1 else [{}]))[0]


def identity(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What of a model's entry says which model it is, and stays the same from one start of the server to the next."""
    kept = {key: entry[key] for key in IDENTIFYING if key in entry}
    if isinstance(kept.get("meta"), dict):
        kept["meta"] = {key: value for key, value in kept["meta"].items() if key not in VARYING_META}
    return kept
