"""The only module that talks to a server. It sends a request, and returns JSON or raises one of a few errors."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx2
import openai

from judgeharness.backends.openai.address import Address
from judgeharness.backends.openai.faults import (
    FaultError,
    NonsenseError,
    RefusedError,
    error_in,
    is_flagged,
    is_without_credit,
    mapping,
    message,
    status_of,
    words,
)
from judgeharness.backends.replies import BoundedAsyncClient
from judgeharness.domain.api_keys import remember_environment, scrubbed, scrubbed_error
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.json_reader import JsonError, read_json

RETRIED = {408, 409, 425, 429}
OVERLOADED = {429, 503, 529}
MAX_FORBIDDEN = 16
HARMLESS = ("accept", "content-type", "user-agent", "x-stainless-")
SHOWN = 120
RESUME = "the finished items are in the store; the same command resumes the run"


@dataclass(slots=True)
class Key:
    """A server's key, and how the server has responded to it so far.

    Attributes:
        value: The key.
        withheld: Whether no secret may be sent at all.
        accepted: Whether the server has answered a POST request with this key.
        forbidden: How many POST requests were answered with 403 since the last success, not counting flagged prompts.
    """

    value: str = field(repr=False)
    withheld: bool = False
    accepted: bool = False
    forbidden: int = 0


class Client:
    """Sends requests to one server. It never retries; that is up to the caller.

    Args:
        address: The server and the model.
        key: The key to send.
        timeout: Seconds for a whole request, until the last byte of the reply.
        connections: The most connections at a time.

    Attributes:
        posts: How many POST requests were sent.
        tokens: How many tokens the server counted for them.
    """

    def __init__(self, address: Address, key: Key, timeout: float, connections: int) -> None:
        self.posts = self.tokens = 0
        self._address = address
        self._key = key
        remember_environment()
        limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
        try:
            http = BoundedAsyncClient(
                timeout,
                limits=limits,
                # A redirect could send the key to another server.
                follow_redirects=False,
            )
        # httpx2 reads the proxies from the environment here. SOCKS proxies need another package.
        except (ImportError, ValueError, httpx2.InvalidURL) as error:
            raise HarnessError(
                f"the proxy that the environment names cannot be used: {words(str(error))}",
                "see HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; NO_PROXY lists the hosts that need none",
            ) from scrubbed_error(error)
        self._client = openai.AsyncOpenAI(
            base_url=address.url,
            api_key=key.value,
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            http_client=http,
        )
        if key.withheld:
            # openai-python also sends the headers in OPENAI_CUSTOM_HEADERS and similar variables.
            others = (name for name in self._client.default_headers if not name.lower().startswith(HARMLESS))
            self._client = self._client.copy(default_headers=cast(Any, {name: openai.Omit() for name in others}))

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Send a POST request and return its reply.

        Args:
            path: The path after /v1, or from the server's root if it begins with "root:".
            body: The JSON object to send.

        Raises:
            FaultError: If the request failed and may succeed when it is sent again.
            RefusedError: If the server refused the request.
            HarnessError: If the server does not accept the key, the account has no credit, or a proxy asks for a
                password.
        """
        self.posts += 1
        try:
            reply = await self._send(self._client.post(self._url(path), cast_to=httpx2.Response, body=dict(body)))
        except RefusedError as error:
            if error.status == 403 and not error.flagged:
                self._forbidden(error)
            raise
        self._key.accepted, self._key.forbidden = True, 0
        total = mapping(mapping(reply).get("usage")).get("total_tokens")
        self.tokens += total if isinstance(total, int) and total > 0 else 0
        return reply

    async def get(self, path: str) -> Any:
        """Send a GET request and return its reply, as `post` does."""
        return await self._send(self._client.get(self._url(path), cast_to=httpx2.Response))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _url(self, path: str) -> str:
        return self._address.root + path.removeprefix("root:") if path.startswith("root:") else path

    async def _send(self, sending: Any) -> Any:
        try:
            response = cast(httpx2.Response, await sending)
        except openai.APIStatusError as error:
            response = error.response
            raise self._failure(response, error.status_code, _lenient(response.content)) from error
        except openai.APITimeoutError as error:
            raise FaultError("no reply in time", overloaded=True, unreachable=True) from scrubbed_error(error)
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            raise FaultError(
                f"no connection: {words(str(cause) or type(cause).__name__)}", unreachable=True
            ) from scrubbed_error(error)
        reply = _json(response.content, response.headers.get("content-type", "no content type"))
        reported = error_in(reply)
        if reported is not None:
            raise self._failure(response, status_of(reported), reported)
        return reply

    def _failure(self, response: httpx2.Response, status: int | None, body: Any) -> Exception:
        """Return the error for a status from HTTP or from the reply's body. An error without a status is retried."""
        text = response.content.decode("utf-8", "replace")
        reason = message(body) or words(text) or response.reason_phrase
        if status == 401:
            return self._not_accepted(status, reason)
        if status == 402 or (status in {None, 400, 403, 429} and is_without_credit(text)):
            return HarnessError(
                f"{self._address.url}: the account has no credit left ({f'HTTP {status}: ' if status else ''}{reason})",
                f"add credit; {RESUME}",
            )
        if status == 407:
            return HarnessError(
                f"the proxy asks for a password (HTTP {status}: {reason})",
                "name it in HTTP_PROXY or HTTPS_PROXY as http://USER:PASSWORD@HOST:PORT",
            )
        if status is None or status in RETRIED or status >= 500:
            said = f"HTTP {status}: {reason}" if status else f"the server reports an error: {reason}"
            wait = _retry_after(response)
            return FaultError(said, status=status or 500, overloaded=status in OVERLOADED, wait=wait)
        return RefusedError(status, reason, is_flagged(text))

    def _forbidden(self, error: RefusedError) -> None:
        """Raise HarnessError if a refusal is about the key: it never worked, or is refused many times in a row."""
        self._key.forbidden += 1
        if not self._key.accepted:
            raise self._not_accepted(error.status, error.reason) from error
        if self._key.forbidden >= MAX_FORBIDDEN:
            raise HarnessError(
                f"{self._address.url} refused {MAX_FORBIDDEN} prompts in a row (HTTP {error.status}: {error.reason})",
                f"check what the key may do; {RESUME}",
            ) from error

    def _not_accepted(self, status: int, reason: str) -> HarnessError:
        return HarnessError(
            f"{self._address.url} does not accept the key (HTTP {status}: {reason})",
            "the key comes from OPENAI_API_KEY, or from the variable that -o key_variable names",
        )


def _json(content: bytes, kind: str = "no content type") -> Any:
    try:
        return scrubbed(read_json(content))
    except (JsonError, RecursionError) as error:
        if _lenient(content) is not None:
            raise NonsenseError(f"the reply is not sound JSON: {error}") from error
        beginning = words(content.decode("utf-8", "replace"), SHOWN) or "empty"
        raise FaultError(f"the reply is not JSON, or is incomplete ({words(kind, SHOWN)}: {beginning})") from error


def _lenient(content: bytes) -> Any:
    """Parse JSON by Python's own rules. Returns None if that fails too."""
    with contextlib.suppress(ValueError, RecursionError):
        return json.loads(content)
    return None


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the seconds in Retry-After, a number or a date (RFC 9110, 10.2.3). Returns None if it has neither."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return float(text)
    try:
        now = parsedate_to_datetime(response.headers["date"])
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None
