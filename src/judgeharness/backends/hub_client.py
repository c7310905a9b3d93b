"""Bounds the HTTP client of huggingface_hub, so that every request ends even if the hub sends data very slowly."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

import huggingface_hub

from judgeharness.backends.replies import IDENTITY, extend, rebuilt
from judgeharness.domain.api_keys import fault_of, remember, remember_environment
from judgeharness.domain.errors import HarnessError

SECONDS = 60.0
MIN_BYTES = 16 << 10
"""How many bytes must arrive within SECONDS, except at the end."""
MAX_UNANNOUNCED = 1 << 30
STOPPED = "the hub has stopped answering"


def bound_hub() -> None:
    """Make all requests to the hub end, even if the hub sends too little in a long time or a reply that is too large.

    Raises HarnessError if the token cannot be sent.
    """
    token = huggingface_hub.get_token() or ""
    fault = fault_of(token)
    if fault is not None:
        raise HarnessError(
            f"the token for the hub cannot be sent: it has {fault}", "set HF_TOKEN again, or run 'hf auth login'"
        )
    remember(token)
    remember_environment()
    session: Any = huggingface_hub.get_session()
    if isinstance(session.send, _Send) and session.send.has_stopped:
        huggingface_hub.close_session()
        session = huggingface_hub.get_session()
    if not isinstance(session.send, _Send):
        session.send = _Send(session)
        hooks = session.event_hooks
        session.event_hooks = {**hooks, "response": [*hooks.get("response", ()), _without_useless_content]}


class _Send:
    """A session's `send` with bounds. Files are returned as streams; every other reply is read here."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self._send = session.send
        self.has_stopped = False

    def __call__(self, request: Any, *, stream: bool = False, **settings: Any) -> Any:
        if self.has_stopped:
            raise TimeoutError(STOPPED)
        request.headers.update(IDENTITY)
        limits = request.extensions.get("timeout", {})
        names = ("connect", "read", "write", "pool")
        request.extensions["timeout"] = {name: min(limits.get(name) or SECONDS, SECONDS) for name in names}
        timer = threading.Timer(SECONDS, self._stop)
        timer.daemon = True
        timer.start()
        try:
            response = self._send(request, stream=True, **settings)
        except Exception as error:
            if self.has_stopped:
                raise TimeoutError(STOPPED) from error
            raise
        finally:
            timer.cancel()
        response.stream = _paced(_library(response))(response)
        if stream and response.status_code < 400:
            return response
        content = bytearray()
        try:
            for part in response.iter_bytes():
                extend(content, part)
        finally:
            response.close()
        return rebuilt(response, bytes(content))

    def _stop(self) -> None:
        """Close the connections, so that a request fails that still waits for headers arriving byte by byte."""
        self.has_stopped = True
        self._session.close()


@cache
def _paced(library: Any) -> Any:
    """Return a bounded stream class for one of the HTTP libraries that huggingface_hub is built on."""

    class Paced(library.SyncByteStream):  # type: ignore[misc]
        def __init__(self, response: Any) -> None:
            self._stream = response.stream
            self._most = None if "content-length" in response.headers else MAX_UNANNOUNCED

        def __iter__(self) -> Iterator[bytes]:
            size, begun, before = 0, time.monotonic(), 0
            for part in self._stream:
                size += len(part)
                if self._most is not None and size > self._most:
                    raise ValueError(f"a reply of more than {self._most:,} bytes")
                if size - before >= MIN_BYTES:
                    begun, before = time.monotonic(), size
                elif time.monotonic() - begun > SECONDS:
                    raise TimeoutError(STOPPED)
                yield part

        def close(self) -> None:
            self._stream.close()

    return Paced


def _without_useless_content(response: Any) -> None:
    """Drop the content of a redirect, which the library would read completely, however large it is."""
    if response.has_redirect_location:
        response.stream.close()
        response.stream = _library(response).ByteStream(b"")


def _library(response: Any) -> Any:
    return sys.modules[type(response).__module__.partition(".")[0]]
