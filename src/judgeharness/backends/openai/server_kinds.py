"""Kinds of servers: how each is recognized, and which fields it takes besides OpenAI's own.

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
    """What a kind of server can do, known without a request.

    Attributes:
        name: Its name, as messages show it.
        native: A path outside OpenAI's protocol that scores given tokens.
        named_tokens: The request field that asks for log-probabilities of given token ids, if there is one.
        ids_field: The fields that make the server return token ids in place of texts.
        thinks: Whether it takes `chat_template_kwargs`, which can switch thinking off.
        extra: More fields of every request.
        draws_from_all: The fields that make it sample from all tokens with the model's own probabilities.
        setting: What to change on the server if it returns no log-probabilities.
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
"""Kinds of servers by the owner that they give for a model in /v1/models."""

TOLD_BY = {
    "root:/api/version": "Ollama",
    "root:/get_model_info": "SGLang",
    "root:/props": "llama-server",
    "root:/info": "TGI",
    "root:/version": "vLLM",
}
"""Paths that only one kind of server answers, in the order in which they are tried."""

FIELDS_THERE = ("version", "model_path", "build_info", "default_generation_settings", "model_id")
"""Fields of the replies on those paths. Some servers answer any path with a reply that has none of these."""

IDENTIFYING = ("id", "root", "meta", "owned_by", "digest")
VARYING_META = ("n_ctx",)


def owner_kind(entry: Mapping[str, Any]) -> str | None:
    """Return the kind of server that a model's entry in /v1/models reveals, or None."""
    return OWNERS.get(str(entry.get("owned_by", "")))


def own_entry(listing: Any, model: str) -> Mapping[str, Any]:
    """Return a model's entry in the reply of /v1/models.

    If the name is not listed but the server has only one model, return the entry of that one.
    """
    entries = listing.get("data") if isinstance(listing, dict) else None
    found = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    named = [each for each in found if each.get("id") == model]
    return (named or (found if len(found) == 1 else [{}]))[0]


def identity(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a model's entry that identify the model and do not change when the server restarts."""
    kept = {key: entry[key] for key in IDENTIFYING if key in entry}
    if isinstance(kept.get("meta"), dict):
        kept["meta"] = {key: value for key, value in kept["meta"].items() if key not in VARYING_META}
    return kept
