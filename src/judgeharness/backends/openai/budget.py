"""What a run may cost: requests and tokens, set aside before they are spent."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 1.1
FIRST_TOKENS_A_BYTE = 0.5
OWN_TOKENS = 1


class BudgetError(Exception):
    """A request would go past the budget."""


class Budget:
    """Requests and tokens that were spent, and those that are promised to prompts which are yet to be answered."""

    def __init__(self, max_requests: int | None = None, max_tokens: int | None = None) -> None:
        self.max_requests = max_requests
        self.max_tokens = max_tokens
        self.requests = 0
        self.tokens = 0
        self._promised: list[int] = []
        self._density = 0.0

    def __str__(self) -> str:
        limits = (("requests", self.max_requests), ("tokens", self.max_tokens))
        return " and ".join(f"{most:,} {name}" for name, most in limits if most is not None) or "no limit"

    def estimate(self, n_bytes: int) -> int:
        """The most tokens that a prompt of so many bytes is taken to have.

        By the most tokens a byte that any prompt had so far, as the server counted, and a margin.
        """
        return int(MARGIN * n_bytes * (self._density or FIRST_TOKENS_A_BYTE)) + OWN_TOKENS

    def learn(self, n_bytes: int, tokens: int) -> None:
        """A prompt of so many bytes had so many tokens."""
        self._density = max(self._density, tokens / max(1, n_bytes))

    def promise(self, tokens: Sequence[int]) -> bool:
        """Set requests with so many tokens each aside; False where there is no room for all of them."""
        requests = self.requests + len(self._promised) + len(tokens)
        total = self.tokens + sum(self._promised) + sum(tokens)
        if self.max_requests is not None and requests > self.max_requests:
            return False
        if self.max_tokens is not None and total > self.max_tokens:
            return False
        self._promised += tokens
        return True

    def withdraw(self, tokens: Sequence[int]) -> None:
        """Give back promises that are not needed."""
        for each in tokens:
            self._promised.remove(each)

    def charge(self, requests: int, tokens: int) -> None:
        """Requests that were sent without a promise: the probe's."""
        self.requests += requests
        self.tokens += tokens

    def spend(self, promised: int, used: int) -> None:
        """A promised request was sent, and cost so many tokens."""
        self._promised.remove(promised)
        self.requests += 1
        self.tokens += used
