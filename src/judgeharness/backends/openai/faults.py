"""What can go wrong with a request, as servers report it in the HTTP status or in the body of the reply."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from judgeharness.domain.api_keys import scrub

MAX_WORDS = 300
MAX_DEPTH = 4
_SAID = ("message", "msg", "detail", "error", "errors", "base_resp", "status_msg")
_FLAGGED = re.compile(
    r"moderation|flagged|(content|usage|safety)[ _-]?(policy|policies|filter|management)|violat", re.IGNORECASE
)
_NO_CREDIT = re.compile(
    r"insufficient[ _](\w+[ _])?(balance|credits?|funds|quota)|\b(no|out of) credits?\b", re.IGNORECASE
)
_ANSWERS = ("choices", "meta_info", "data", "prompt", "tokens", "content", "text")
_REPORTS = ("detail", "msg", "message", "errors", "base_resp")
_STATUS = ("code", "status", "status_code", "error_code")
_BUSY = re.compile(r"rate[ _-]?limit|too[ _]many[ _]requests|overloaded", re.IGNORECASE)


class FaultError(Exception):
    """A request that failed and may succeed if it is sent again.

    Attributes:
        reason: What went wrong, in words.
        status: The HTTP status, or the code in the reply's body, if the server reports an error. Such a request costs
            no tokens.
        overloaded: Whether the server asks for fewer requests or does not keep up.
        wait: How many seconds the server asks to wait, if it says so.
        unreachable: Whether no reply came.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        overloaded: bool = False,
        wait: float | None = None,
        unreachable: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.overloaded = overloaded
        self.wait = wait
        self.unreachable = unreachable


class NonsenseError(FaultError):
    """A complete reply that makes no sense. The server would send the same again, so the request is not retried."""


class RefusedError(Exception):
    """A request that the server understood and refused. Sending it again would change nothing.

    Attributes:
        status: The HTTP status, or the code in the reply's body.
        reason: What the server says.
        flagged: Whether the server gives a policy or moderation as the reason.
    """

    def __init__(self, status: int, reason: str, flagged: bool = False) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.flagged = flagged


def error_in(reply: Any) -> Any:
    """Return the error in the body of a successful reply, at the top or in its first choice, or None.

    OpenRouter and others report errors of the model's provider in this way. FastChat sets `object: "error"`, and Gemini
    wraps the error in a list. Gateways send a message and a code in place of an answer.
    """
    body = mapping(first(reply)) if isinstance(reply, list) else mapping(reply)
    if body.get("object") == "error":
        return body
    found = body.get("error") or mapping(first(body.get("choices"))).get("error")
    if found:
        return found
    reports = any(body.get(key) for key in _REPORTS) and not any(key in body for key in _ANSWERS)
    return body if reports else None


def status_of(error: Any) -> int | None:
    """Return the HTTP status that an error in a reply's body has as its code, or None."""
    body = mapping(error)
    for given in (*(body.get(key) for key in _STATUS), mapping(first(body.get("errors"))).get("code")):
        code = int(given) if isinstance(given, str) and re.fullmatch(r"\s*\d{3}\s*", given, re.ASCII) else given
        if isinstance(code, int) and 400 <= code <= 599:
            return code
    named = f"{body.get('code')} {body.get('type')} {message(error)}"
    return 429 if _BUSY.search(named) else None


def is_flagged(text: str) -> bool:
    """Return whether an error body says that the input was flagged or violates a policy."""
    return _FLAGGED.search(text) is not None


def is_without_credit(text: str) -> bool:
    """Return whether an error body says that the account has no credit left."""
    return _NO_CREDIT.search(text) is not None


def message(body: Any, depth: int = MAX_DEPTH) -> str:
    """Return the message of an error body in one line, or an empty text if its form is not known.

    The known forms are those of OpenAI, OpenRouter (with the message of the model's provider), Gemini (a list with one
    error) and FastAPI (`detail`, which may list errors together with their fields).
    """
    if isinstance(body, list) and depth:
        return words("; ".join(message(each, depth - 1) for each in body[:MAX_DEPTH]))
    if not isinstance(body, dict) or not depth:
        return words(body) if isinstance(body, str) else ""
    text = message(next((body[key] for key in _SAID if body.get(key)), None), depth - 1)
    if text and isinstance(body.get("loc"), list):
        return words(f"{'.'.join(map(str, body['loc'][:MAX_DEPTH]))}: {text}")
    more = [body.get("param"), mapping(body.get("metadata")).get("raw")]
    added = [each for each in more if isinstance(each, str) and each and each not in text]
    return words(f"{text} ({', '.join(added)})" if text and added else text)


def words(text: str, most: int = MAX_WORDS) -> str:
    """Return the beginning of a text in one line, without control characters and keys."""
    # Scrub before truncating, since part of a key would not be recognized.
    line = " ".join(scrub(text)[: 4 * most].split())
    return "".join(char for char in line if char.isprintable())[:most]


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def first(value: Any) -> Any:
    """Return the first element of a JSON array, or None if there is none."""
    return value[0] if isinstance(value, list) and value else None
