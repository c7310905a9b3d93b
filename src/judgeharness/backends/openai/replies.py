"""What servers answer, in their several shapes, as one: the first token's candidates, or what was written.

Shapes and their sources:

- chat completions, `choices[0].logprobs.content[0]`: https://platform.openai.com/docs/api-reference/chat/object; vLLM,
  SGLang, Ollama and TGI follow it, llama-server adds `id` (tools/server/README.md of llama.cpp);
- completions, `choices[0].logprobs.top_logprobs[0]`, a mapping from text to log-probability:
  https://platform.openai.com/docs/api-reference/completions/object; with `return_tokens_as_token_ids` vLLM writes
  "token_id:N" for the text; llama-server answers in the shape of chat completions here too;
- what was written: `choices[0].message.content` of chat completions, `choices[0].text` of completions, and
  `finish_reason`, which is "length" where the limit cut it off;
- SGLang's own `/generate`, `meta_info.output_top_logprobs` and `output_token_ids_logprobs`, lists of
  [log-probability, id, text]: https://docs.sglang.io/basic_usage/native_api.html.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judgeharness.backends.openai.client import FaultError

_TOKEN_ID = re.compile(r"token_id:(\d{1,9})")
MOST_CANDIDATES = 1 << 18


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that could have come first. text: as the server writes it, exact bytes where it gives them."""

    logprob: float
    text: str | None = None
    token: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """candidates: the most probable tokens. sampled: the token that was drawn, which some servers list besides them.

    prompt_tokens, answer_tokens: as the server counts them, None where it does not.
    """

    candidates: tuple[Candidate, ...]
    sampled: Candidate | None
    prompt_tokens: int | None
    answer_tokens: int | None


@dataclass(frozen=True, slots=True)
class Text:
    """What was written, and whether it was cut off by the limit. Token counts as of an `Answer`."""

    text: str
    cut: bool
    prompt_tokens: int | None
    answer_tokens: int | None


def read_text(reply: Any) -> Text:
    """The text in a reply. Raises FaultError where there is none; a model that refuses has written nothing."""
    choice = _mapping(_first(_mapping(reply).get("choices")))
    message = _mapping(choice.get("message"))
    text = message.get("content") if message else choice.get("text")
    if not isinstance(text, str) and not (message and text is None):
        raise FaultError("the reply has no text")
    usage = _mapping(_mapping(reply).get("usage"))
    return Text(
        # JSON can bring in half a surrogate pair, which no tokenizer and no database takes.
        (text or "").encode("utf-8", "replace").decode("utf-8"),
        choice.get("finish_reason") == "length",
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
    )


def read_answer(reply: Any) -> Answer:
    """The answer in a reply of any of the shapes. Raises FaultError where there is none."""
    candidates, sampled = _candidates(reply)
    if not candidates:
        raise FaultError("the reply has no log-probabilities")
    if len(candidates) > MOST_CANDIDATES:
        raise FaultError("the reply has more candidates than any vocabulary")
    usage = _mapping(_mapping(reply).get("usage"))
    meta = _mapping(_mapping(reply).get("meta_info"))
    return Answer(
        candidates,
        sampled,
        _count(usage.get("prompt_tokens", meta.get("prompt_tokens"))),
        _count(usage.get("completion_tokens", meta.get("completion_tokens"))),
    )


def _candidates(reply: Any) -> tuple[tuple[Candidate, ...], Candidate | None]:
    meta = _mapping(_mapping(reply).get("meta_info"))
    if meta:
        return _native(meta), None
    choice = _mapping(_first(_mapping(reply).get("choices")))
    logprobs = _mapping(choice.get("logprobs"))
    content = _mapping(_first(logprobs.get("content")))
    if content:
        entries = content.get("top_logprobs") or []
        return tuple(_entry(each) for each in _sequence(entries)), _entry(content)
    top = _mapping(_first(logprobs.get("top_logprobs")))
    drawn = _first(logprobs.get("tokens"))
    found = tuple(_named(text, value) for text, value in top.items())
    sampled = next((each for each, text in zip(found, top, strict=True) if text == drawn), None)
    return found, sampled


def _native(meta: Mapping[str, Any]) -> tuple[Candidate, ...]:
    rows = [
        *_sequence(_first(meta.get("output_token_ids_logprobs")) or []),
        *_sequence(_first(meta.get("output_top_logprobs")) or []),
    ]
    found: dict[int, Candidate] = {}
    for row in rows:
        cells = _sequence(row)
        if len(cells) < 2 or not isinstance(cells[1], int):
            raise FaultError("the reply's log-probabilities have an unknown shape")
        found.setdefault(cells[1], Candidate(_logprob(cells[0]), None, cells[1]))
    return tuple(found.values())


def _entry(entry: Any) -> Candidate:
    """An entry of the chat shape: `token`, `logprob`, `bytes`, and `id` where the server has it."""
    given = _mapping(entry)
    text, token = given.get("token"), given.get("id")
    if not isinstance(text, str):
        raise FaultError("the reply's log-probabilities have an unknown shape")
    named = _named(text, given.get("logprob"))
    if isinstance(token, int) and token >= 0:
        return Candidate(named.logprob, _text(text, given.get("bytes")), token)
    return named if named.token is not None else Candidate(named.logprob, _text(text, given.get("bytes")))


def _named(text: str, value: Any) -> Candidate:
    found = _TOKEN_ID.fullmatch(text)
    return Candidate(_logprob(value), None, int(found[1])) if found else Candidate(_logprob(value), text)


def _text(text: str, data: Any) -> str:
    """The token's bytes as text, where it has any that are a text; else as it is written."""
    if not isinstance(data, list) or not data:
        return text
    try:
        return bytes(data).decode("utf-8")
    except (ValueError, TypeError):
        return text


def _logprob(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise FaultError("a log-probability in the reply is no number")
    # Rounding lets some servers give a little more than 0.
    if value > 1e-3:
        raise FaultError(f"a log-probability in the reply is {value:.3g}, above 0")
    return float(value)


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise FaultError("the reply's log-probabilities have an unknown shape")
    return value


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else None
