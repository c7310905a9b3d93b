"""Reads replies of servers before anything else sees them: bounded in size and time, decoded, and without keys."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2

from judgeharness.domain.api_keys import scrub

MAX_REPLY_BYTES = 1 << 25
"""The limit for decoded content, since a few KB of gzip can be gigabytes."""
IDENTITY = {"accept-encoding": "identity"}


class BoundedAsyncClient(httpx2.AsyncClient):
    """A client that reads replies completely, with one time limit for connecting, headers and content."""

    def __init__(self, seconds: float, **settings: Any) -> None:
        super().__init__(headers=IDENTITY, **settings)
        self._seconds = seconds

    async def send(self, request: httpx2.Request, **settings: Any) -> Any:
        """Send a request and return its reply, completely read. Raises httpx2.HTTPError."""
        try:
            async with asyncio.timeout(self._seconds):
                response = await super().send(request, **{**settings, "stream": True})
                try:
                    content = bytearray()
                    async for part in response.aiter_bytes():
                        extend(content, part)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            raise httpx2.ReadTimeout(f"no whole reply in {self._seconds:g} seconds", request=request) from error
        return rebuilt(response, bytes(content))


def rebuilt(response: Any, content: bytes) -> Any:
    """Return a reply with this decoded content. Known keys are removed from content, headers and reason."""
    encoded = "content-encoding" in response.headers
    left_out = {b"content-encoding", b"transfer-encoding", *([b"content-length"] if encoded else [])}
    return type(response)(
        response.status_code,
        headers=[(_clean(name), _clean(value)) for name, value in response.headers.raw if name.lower() not in left_out],
        content=_clean(content),
        request=response.request,
        extensions={"reason_phrase": _clean(response.extensions.get("reason_phrase", b""))},
        history=response.history,
    )


def extend(content: bytearray, part: bytes) -> None:
    """Append a part of a reply to its content. Raises httpx2.RemoteProtocolError if the content gets too long."""
    content += part
    if len(content) > MAX_REPLY_BYTES:
        raise httpx2.RemoteProtocolError(f"a reply of more than {MAX_REPLY_BYTES:,} bytes")


def _clean(data: bytes) -> bytes:
    # Latin-1 maps each byte to one character. Keys are ASCII, and all other bytes stay as they are.
    return scrub(data.decode("latin-1")).encode("latin-1")
