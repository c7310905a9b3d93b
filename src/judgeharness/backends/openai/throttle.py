"""Limits the requests in flight: the limit grows while throughput grows, and halves when the server is overloaded."""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import time
from collections.abc import AsyncIterator, Callable

GAIN = 1.15
MIN_WINDOW = 16
Priority = tuple[int, int]


class Concurrency:
    """The limit, from 1 to `most`.

    The limit doubles after each window of answers in which throughput grew. When throughput no longer grows, the limit
    goes back one step and stays there. When the server is overloaded, the limit is halved and then grows by one with
    each window.
    """

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = 1
        self._most = most
        self._ceiling = most
        self._clock = clock
        self._growing = most > 1
        self._rate = 0.0
        self._done = 0
        self._begun = clock()

    def answered(self) -> None:
        """Record an answer."""
        self._done += 1
        if self._done < max(MIN_WINDOW, 2 * self.limit):
            return
        rate = self._done / max(self._clock() - self._begun, 1e-9)
        if not self._growing:
            self._change(min(self.limit + 1, self._ceiling))
        elif rate >= GAIN * self._rate:
            self._rate = rate
            self._growing = self.limit < self._most
            self._change(min(2 * self.limit, self._most))
        else:
            self._growing = False
            self._ceiling = max(1, self.limit // 2)
            self._change(self._ceiling)

    def overloaded(self) -> None:
        """Record that the server asked for fewer requests or did not keep up."""
        self._growing = False
        # Requests that were in flight together are refused together, and count once.
        if self._done:
            self._change(max(1, self.limit // 2))

    def _change(self, limit: int) -> None:
        self.limit, self._done, self._begun = limit, 0, self._clock()


class Throttle:
    """Lets as many requests through as `concurrency` allows. Requests of earlier groups go first."""

    def __init__(self, concurrency: Concurrency) -> None:
        self.concurrency = concurrency
        self._out = 0
        self._waiting: list[tuple[Priority, int, asyncio.Future[None]]] = []
        self._ticket = itertools.count()
        self._resume = 0.0
        self._watched: asyncio.Future[None] | None = None

    async def room(self) -> None:
        """Wait until one more request could be sent at once."""
        while self._out + len(self._waiting) >= self.concurrency.limit or self._paused:
            await self.change()

    async def change(self) -> None:
        """Wait until something has changed. Only one caller may wait at a time."""
        self._watched = asyncio.get_running_loop().create_future()
        await self._watched

    def changed(self) -> None:
        """Wake the caller that waits for a change."""
        if self._watched is not None and not self._watched.done():
            self._watched.set_result(None)

    def pause(self, seconds: float) -> None:
        """Let no request through for some seconds."""
        loop = asyncio.get_running_loop()
        self._resume = max(self._resume, loop.time() + seconds)
        loop.call_at(self._resume, self._let_through)

    @contextlib.asynccontextmanager
    async def turn(self, priority: Priority) -> AsyncIterator[None]:
        """Wait for a turn. The request may be sent inside this context."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (priority, next(self._ticket), future))
        self._let_through()
        try:
            await future
            yield
        finally:
            if future.done() and not future.cancelled():
                self._out -= 1
            self._let_through()

    @property
    def _paused(self) -> bool:
        # A timer may fire slightly early.
        return asyncio.get_running_loop().time() < self._resume - 1e-3

    def _let_through(self) -> None:
        self._waiting = [each for each in self._waiting if not each[2].done()]
        heapq.heapify(self._waiting)
        while self._waiting and self._out < self.concurrency.limit and not self._paused:
            _, _, future = heapq.heappop(self._waiting)
            self._out += 1
            future.set_result(None)
        self.changed()
