"""Reads the replies of servers, in their several shapes, as one form: the first token's candidates, or the text.

Shapes and their sources:

- chat completions, `choices[0].logprobs.content[0]`: https://platform.openai.com/docs/api-reference/chat/object. vLLM,
  SGLang, Ollama and TGI follow it. llama-server adds `id` (tools/server/README.md of llama.cpp).
- completions, `choices[0].logprobs.top_logprobs[0]`, a mapping from text to log-probability:
  https://platform.openai.com/docs/api-reference/completions/object. With `return_tokens_as_token_ids`, vLLM writes
  "token_id:N" in place of the text. llama-server uses the shape of chat completions here too.
- generated text: `choices[0].message.content` of chat completions, `choices[0].text` of completions. `finish_reason` is
  "length" if the limit truncated the text.
- SGLang's own `/generate`, `meta_info.output_top_logprobs` and `output_token_ids_logprobs`, lists of [log-probability,
  id, text]: https://docs.sglang.io/basic_usage/native_api.html.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import TypeAdapter

from judgeharness.backends.openai.faults import FaultError, NonsenseError, first, mapping
from judgeharness.backends.openai.logprobs import read_logprobs, require_total
from judgeharness.backends.openai.origin import UNNAMED, Origin, read_origin

_TOKEN_ID = re.compile(r"token_id:(\d{1,9})")
MAX_CANDIDATES = 1 << 18
MAX_TOKENS = 1 << 30
"""Larger token counts are ignored."""
Row = tuple[str | None, int | None, Any]
"""A token's text and id, and the reply's value for its log-probability."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible first token of the answer.

    Attributes:
        logprob: Its natural log-probability.
        text: Its text as the server writes it, from its exact bytes if the server gives them.
        token: Its id, if the server gives one.
    """

    logprob: float
    text: str | None = None
    token: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The candidates for the first token of an answer.

    Attributes:
        candidates: The most probable tokens.
        sampled: The token that was sampled. Some servers list it in addition to the most probable ones.
        prompt_tokens: The prompt's tokens as the server counts them, or None.
        answer_tokens: The answer's tokens as the server counts them, or None.
        origin: The model that answered.
    """

    candidates: tuple[Candidate, ...]
    sampled: Candidate | None
    prompt_tokens: int | None
    answer_tokens: int | None
    origin: Origin = UNNAMED


@dataclass(frozen=True, slots=True)
class Text:
    """A generated answer.

    Attributes:
        text: The answer.
        cut: Whether the limit truncated it.
        prompt_tokens: The prompt's tokens as the server counts them, or None.
        answer_tokens: The answer's tokens as the server counts them, or None.
        origin: The model that answered.
    """

    text: str
    cut: bool
    prompt_tokens: int | None
    answer_tokens: int | None
    origin: Origin = UNNAMED


_ANSWER, _TEXT = TypeAdapter(Answer), TypeAdapter(Text)


def read_text(reply: Any) -> Text:
    """Return the text in a reply; a refusal by the model is an empty text. Raises FaultError if there is no text."""
    choice = mapping(first(mapping(reply).get("choices")))
    message = mapping(choice.get("message"))
    text = message.get("content") if message else choice.get("text")
    if not isinstance(text, str) and not (message and text is None):
        raise FaultError("the reply has no text")
    usage = mapping(mapping(reply).get("usage"))
    return Text(
        # JSON can contain half of a surrogate pair, which tokenizers and databases reject.
        (text or "").encode("utf-8", "replace").decode("utf-8"),
        choice.get("finish_reason") == "length",
        _count(usage.get("prompt_tokens")),
        _count(usage.get("completion_tokens")),
        read_origin(reply),
    )


def read_answer(reply: Any) -> Answer:
    """Read the answer in a reply of any of the shapes.

    Tokens without a log-probability are left out.

    Raises:
        FaultError: If no token is left.
        NonsenseError: If the values cannot be the log-probabilities of one token.
    """
    rows, drawn = _rows(reply)
    candidates = _candidates(rows)
    if not candidates and mapping(first(mapping(reply).get("choices"))).get("finish_reason") == "content_filter":
        raise NonsenseError("the server filtered its answer (finish_reason: content_filter)")
    if not candidates:
        raise FaultError("the reply has no log-probabilities")
    usage = mapping(mapping(reply).get("usage"))
    meta = mapping(mapping(reply).get("meta_info"))
    return Answer(
        candidates,
        _sampled(drawn),
        _count(usage.get("prompt_tokens", meta.get("prompt_tokens"))),
        _count(usage.get("completion_tokens", meta.get("completion_tokens"))),
        read_origin(reply),
    )


def written_down(answer: Answer | Text) -> str:
    """Return an answer as JSON, for `recalled`."""
    return json.dumps(asdict(answer))


def recalled(text: str, writes: bool) -> Answer | Text | None:
    """Read an answer that `written_down` wrote. Returns None for anything else.

    Args:
        text: The JSON text.
        writes: Whether a generated answer is expected rather than a scored one.
    """
    try:
        if writes:
            return _TEXT.validate_json(text, strict=True)
        answer = _ANSWER.validate_json(text, strict=True)
        values = [each.logprob for each in answer.candidates]
        require_total(values)
        return None if None in read_logprobs(values) else answer
    except (ValueError, ArithmeticError, NonsenseError):
        return None


def _candidates(rows: Sequence[Row]) -> tuple[Candidate, ...]:
    if len(rows) > MAX_CANDIDATES:
        raise NonsenseError("the reply has more candidates than any vocabulary")
    values = read_logprobs([value for _, _, value in rows])
    found = [
        Candidate(value, text, token) for (text, token, _), value in zip(rows, values, strict=True) if value is not None
    ]
    # Some servers list the sampled token twice.
    candidates = tuple(dict.fromkeys(found))
    require_total(each.logprob for each in candidates)
    return candidates


def _sampled(row: Row | None) -> Candidate | None:
    """Return the sampled token. No result depends on its value, so a senseless one is no error."""
    try:
        return next(iter(_candidates([row])), None) if row is not None else None
    except NonsenseError:
        return None


def _rows(reply: Any) -> tuple[list[Row], Row | None]:
    """Return the most probable tokens, and the sampled one if the reply names it."""
    meta = mapping(mapping(reply).get("meta_info"))
    if meta:
        return _native(meta), None
    logprobs = mapping(mapping(first(mapping(reply).get("choices"))).get("logprobs"))
    content = mapping(first(logprobs.get("content")))
    if content:
        rows = [_entry(each) for each in _sequence(content.get("top_logprobs") or [])]
        return rows, _entry(content) if isinstance(content.get("token"), str) else None
    top = mapping(first(logprobs.get("top_logprobs")))
    drawn = first(logprobs.get("tokens"))
    return [_named(*each) for each in top.items()], _named(drawn, top[drawn]) if isinstance(
        drawn, str
    ) and drawn in top else None


def _native(meta: Mapping[str, Any]) -> list[Row]:
    rows = [
        *_sequence(first(meta.get("output_token_ids_logprobs")) or []),
        *_sequence(first(meta.get("output_top_logprobs")) or []),
    ]
    found: dict[int, Row] = {}
    for row in rows:
        cells = _sequence(row)
        if len(cells) < 2 or not isinstance(cells[1], int):
            raise _unknown_shape()
        # A requested token may occur again among the top ones.
        found[cells[1]] = (None, cells[1], cells[0])
    return list(found.values())


def _entry(entry: Any) -> Row:
    """Read an entry of the chat shape: `token`, `logprob`, `bytes`, and `id` if the server gives it."""
    given = mapping(entry)
    text, token, value = given.get("token"), given.get("id"), given.get("logprob")
    if not isinstance(text, str):
        raise _unknown_shape()
    if isinstance(token, int) and token >= 0:
        return _text(text, given.get("bytes")), token, value
    named = _named(text, value)
    return named if named[1] is not None else (_text(text, given.get("bytes")), None, value)


def _named(text: str, value: Any) -> Row:
    found = _TOKEN_ID.fullmatch(text)
    return (None, int(found[1]), value) if found else (text, None, value)


def _text(text: str, data: Any) -> str:
    """Return the token's bytes as text if they are valid UTF-8, else the text as the server writes it."""
    if not isinstance(data, list) or not data:
        return text
    try:
        return bytes(data).decode("utf-8")
    except (ValueError, TypeError):
        return text


def _count(value: Any) -> int | None:
    known = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS
    return value if known else None


def _sequence(value: Any) -> Sequence[Any]:
    if not isinstance(value, list):
        raise _unknown_shape()
    return value


def _unknown_shape() -> NonsenseError:
    return NonsenseError("the reply's log-probabilities have an unknown shape")
