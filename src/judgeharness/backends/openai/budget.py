"""The cost of requests. Tokens are set aside before a request is sent; its real cost is then written to the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judgeharness.backends.contract import Budget, Ledger
from judgeharness.domain.nouns import PromptGroup

MARGIN = 1.1
FIRST_TOKENS_A_BYTE = 0.5
OWN_TOKENS = 1


class BudgetError(Exception):
    """A request would exceed the budget."""


class NoLedger:
    """A ledger that stores nothing: it counts in memory and has no limit."""

    budget = Budget()

    def __init__(self) -> None:
        self._spent = (0, 0)

    def spent(self) -> tuple[int, int]:
        """Return the requests and tokens so far."""
        return self._spent

    def spend(self, requests: int, tokens: int) -> None:
        """Add requests and tokens."""
        self._spent = (self._spent[0] + requests, self._spent[1] + tokens)

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add requests and tokens. Always returns True."""
        self.spend(requests, tokens)
        return True

    def key(self, group: PromptGroup) -> str:
        """An empty text."""
        return ""

    def replies(self, key: str) -> Mapping[int, str]:
        """None."""
        return {}

    def keep(self, key: str, position: int, reply: str) -> None:
        """Nothing."""


class Purse:
    """A ledger, and the tokens promised to prompts whose requests have not been sent yet."""

    def __init__(self) -> None:
        self._unkept = NoLedger()
        self.ledger: Ledger = self._unkept
        self._promised: list[int] = []
        self._density = 0.0

    def use(self, ledger: Ledger) -> None:
        """Write to this ledger from now on. What was spent before, on the probe, is added to it first."""
        if self.ledger is self._unkept and any(self._unkept.spent()):
            ledger.spend(*self._unkept.spent())
        self.ledger = ledger

    def estimate(self, n_bytes: int) -> int:
        """Return an upper estimate of the tokens of a prompt with so many bytes.

        The estimate uses the highest ratio of tokens to bytes that the server has counted for any prompt so far, plus a
        margin.
        """
        return int(MARGIN * n_bytes * (self._density or FIRST_TOKENS_A_BYTE)) + OWN_TOKENS

    def learn(self, n_bytes: int, tokens: int) -> None:
        """Record how many tokens the server counted for a prompt of so many bytes."""
        self._density = max(self._density, tokens / max(1, n_bytes))

    def promise(self, tokens: Sequence[int]) -> bool:
        """Set tokens aside, one number for each request. Returns False if the budget has no room for all of them."""
        requests, total = self.ledger.spent()
        promised = [*self._promised, *tokens]
        if not self.ledger.budget.allows(requests + len(promised), total + sum(promised)):
            return False
        self._promised = promised
        return True

    def withdraw(self, tokens: Sequence[int]) -> None:
        """Give back promises that are no longer needed."""
        for each in tokens:
            self._promised.remove(each)

    def send(self, promised: int) -> None:
        """Record that a promised request is about to be sent.

        Raises BudgetError if another process has used up the budget.
        """
        self._promised.remove(promised)
        if not self.ledger.spend_within(1, promised):
            raise BudgetError

    def settle(self, promised: int, used: int) -> None:
        """Record how many tokens a request cost once it is done."""
        if used != promised:
            self.ledger.spend(0, used - promised)
