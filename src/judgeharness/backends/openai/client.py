"""The one place that talks to a server: a request, and its reply as JSON or one of a few errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, cast

import httpx2
import openai

from judgeharness.backends.openai.address import Address
from judgeharness.errors import HarnessError

MAX_REPLY_BYTES = 1 << 25
RETRIED = {408, 409, 425, 429}
MAX_WORDS = 300


class FaultError(Exception):
    """A request that may succeed when it is sent again.

    status: of HTTP, where it is one of failure: such a request costs no tokens. overloaded: the server asks for less,
    or does not keep up. wait: the seconds it asks to wait, if it does. unreachable: no reply came.
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


class RefusedError(Exception):
    """A request that the server understood and refused. Sending it again changes nothing."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class Client:
    """Requests to one server. Retrying is the caller's: this sends once.

    posts, tokens: how many POSTs were sent, and the tokens that the server counted for them.
    """

    def __init__(self, address: Address, key: str, timeout: float, connections: int) -> None:
        self.posts = self.tokens = 0
        self._address = address
        self._client = openai.AsyncOpenAI(
            base_url=address.url,
            api_key=key,
            max_retries=0,
            timeout=httpx2.Timeout(timeout, connect=min(timeout, 10.0)),
            http_client=httpx2.AsyncClient(
                transport=_Bounded(
                    limits=httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
                ),
                # A redirect could lead the key to another server.
                follow_redirects=False,
            ),
        )

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """The reply to a POST. path: after /v1, or from the server's root where it begins with "root:".

        Raises FaultError, RefusedError, and HarnessError for a key that is not accepted.
        """
        self.posts += 1
        reply = await self._send(self._client.post(self._url(path), cast_to=httpx2.Response, body=dict(body)))
        usage = reply.get("usage") if isinstance(reply, dict) else None
        total = usage.get("total_tokens") if isinstance(usage, dict) else None
        self.tokens += total if isinstance(total, int) and total > 0 else 0
        return reply

    async def get(self, path: str) -> Any:
        """The reply to a GET, as `post`."""
        return await self._send(self._client.get(self._url(path), cast_to=httpx2.Response))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    def _url(self, path: str) -> str:
        return self._address.root + path.removeprefix("root:") if path.startswith("root:") else path

    async def _send(self, sending: Any) -> Any:
        try:
            response = await sending
        except openai.APIStatusError as error:
            raise self._failure(error) from error
        except openai.APITimeoutError as error:
            raise FaultError("no reply in time", overloaded=True, unreachable=True) from error
        except (openai.APIConnectionError, httpx2.HTTPError) as error:
            cause = error.__cause__ or error
            raise FaultError(
                f"no connection: {_words(str(cause) or type(cause).__name__)}", unreachable=True
            ) from error
        return _json(cast(bytes, response.content))

    def _failure(self, error: openai.APIStatusError) -> Exception:
        status, reason = error.status_code, _words(_message(error))
        if status in {401, 403}:
            return HarnessError(
                f"{self._address.url} does not accept the key (HTTP {status}: {reason})",
                "the key comes from OPENAI_API_KEY, or from the variable that -o key_variable names",
            )
        if status == 429 and "insufficient_quota" in f"{error.code} {error.body}":
            return HarnessError(f"{self._address.url}: the account has no credit left ({reason})")
        if status in RETRIED or status >= 500:
            overloaded = status in {429, 503, 529}
            wait = _retry_after(error.response)
            return FaultError(f"HTTP {status}: {reason}", status=status, overloaded=overloaded, wait=wait)
        return RefusedError(status, reason)


class _Bounded(httpx2.AsyncHTTPTransport):
    """Cuts replies off that are larger than any that was asked for."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await super().handle_async_request(request)
        response.stream = _BoundedStream(cast(httpx2.AsyncByteStream, response.stream))
        return response


class _BoundedStream(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        size = 0
        async for part in self._stream:
            size += len(part)
            if size > MAX_REPLY_BYTES:
                raise httpx2.RemoteProtocolError(f"a reply of more than {MAX_REPLY_BYTES:,} bytes")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FaultError("the reply is not JSON, or was cut off") from error


def _message(error: openai.APIStatusError) -> str:
    body = error.body
    found = body.get("message") or body.get("detail") or body.get("error") if isinstance(body, dict) else body
    return str(found or error.message)


def _words(text: str) -> str:
    return " ".join(text.split())[:MAX_WORDS]


def _retry_after(response: httpx2.Response) -> float | None:
    """Seconds, from a number or a date (RFC 9110, 10.2.3)."""
    text = response.headers.get("retry-after")
    if text is None:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        now = parsedate_to_datetime(response.headers["date"])
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None
