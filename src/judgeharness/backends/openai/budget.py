"""What requests cost: set aside before they are sent, and written into the ledger as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from judgeharness.backends.contract import Budget, Ledger
from judgeharness.domain.nouns import PromptGroup

MARGIN = 1.1
FIRST_TOKENS_A_BYTE = 0.5
OWN_TOKENS = 1


class BudgetError(Exception):
    """A request would go past the budget."""


class NoLedger:
    """For requests that nothing is kept of: counters in memory, without a limit."""

    budget = Budget()

    def __init__(self) -> None:
        self._spent = (0, 0)

    def spent(self) -> tuple[int, int]:
        """Requests and tokens so far."""
        return self._spent

    def spend(self, requests: int, tokens: int) -> None:
        """Add to them."""
        self._spent = (self._spent[0] + requests, self._spent[1] + tokens)

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add to them; always True."""
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
    """A ledger, and the tokens of requests that are promised to prompts but not yet sent."""

    def __init__(self) -> None:
        self._unkept = NoLedger()
        self.ledger: Ledger = self._unkept
        self._promised: list[int] = []
        self._density = 0.0

    def use(self, ledger: Ledger) -> None:
        """Write into this ledger from now on, beginning with what was spent without one: on the probe."""
        if self.ledger is self._unkept and any(self._unkept.spent()):
            ledger.spend(*self._unkept.spent())
        self.ledger = ledger

    def estimate(self, n_bytes: int) -> int:
        """The most tokens that a prompt of so many bytes is taken to have.

        By the most tokens a byte that any prompt had so far, as the server counted, and a margin.
        """
        return int(MARGIN * n_bytes * (self._density or FIRST_TOKENS_A_BYTE)) + OWN_TOKENS

    def learn(self, n_bytes: int, tokens: int) -> None:
        """A prompt of so many bytes had so many tokens."""
        self._density = max(self._density, tokens / max(1, n_bytes))

    def promise(self, tokens: Sequence[int]) -> bool:
        """Set requests with so many tokens each aside; False if the budget has no room for all of them."""
        requests, total = self.ledger.spent()
        promised = [*self._promised, *tokens]
        if not self.ledger.budget.allows(requests + len(promised), total + sum(promised)):
            return False
        self._promised = promised
        return True

    def withdraw(self, tokens: Sequence[int]) -> None:
        """Give back promises that are not needed."""
        for each in tokens:
            self._promised.remove(each)

    def send(self, promised: int) -> None:
        """A promised request is about to be sent. Raises BudgetError if another process has used up the budget."""
        self._promised.remove(promised)
        if not self.ledger.spend_within(1, promised):
            raise BudgetError

    def settle(self, promised: int, used: int) -> None:
        """A request that was sent cost so many tokens."""
        if used != promised:
            self.ledger.spend(0, used - promised)
