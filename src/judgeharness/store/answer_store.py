"""Where a session saves a backend's answers: whole prompt groups, and replies while a group is incomplete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from judgeharness.backends.contract import Budget
from judgeharness.domain.nouns import Answer, PromptGroup
from judgeharness.store.answers import Answers
from judgeharness.store.database import Store
from judgeharness.store.keys import group_digest
from judgeharness.store.transactions import transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A budget, and all scopes whose spending counts against it. One call of a command has one account."""

    budget: Budget = field(default_factory=Budget)
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStore:
    """The answers of one backend in a store, to which one session adds.

    This is the `Ledger` of models that are paid by the request.

    Attributes:
        store: The store.
        backend_digest: The backend.
        session_id: The session.
        scope: The scope under which requests are counted. Calls that ask for the same runs have the same scope.
        account: The budget that the scope belongs to.
    """

    store: Store
    backend_digest: str
    session_id: str
    scope: str = ""
    account: Account = field(default_factory=Account)

    @property
    def answers(self) -> Answers:
        """The answers to whole groups."""
        return self.store.answers

    @property
    def budget(self) -> Budget:
        """What may be spent."""
        return self.account.budget

    def lease(self, key: str) -> bool:
        """Reserve a group, so that nobody else asks for it. Returns False if it is already reserved."""
        return self.store.journal.lease(key, self.session_id)

    def release(self, key: str) -> None:
        """Let others ask for a group, if anything is still missing."""
        self.store.journal.release(key)

    def add(self, key: str, answer: Answer) -> None:
        """Save the answer to a whole group. It is on disk when this returns."""
        self.store.require_there()
        with transaction(self.store.connection):
            self.answers.add(key, self.backend_digest, self.session_id, answer)
            # The replies go in the same transaction, so that none is left behind if the process is killed.
            self.store.connection.execute("DELETE FROM replies WHERE group_key = ?", (key,))
        self.release(key)

    def key(self, group: PromptGroup) -> str:
        """Return the key of a group's answer."""
        return group_digest(group, self.backend_digest)

    def replies(self, key: str) -> Mapping[int, str]:
        """Return earlier replies to a group's prompts, by the position of the prompt."""
        return self.store.journal.replies(key)

    def keep(self, key: str, position: int, reply: str) -> None:
        """Save the reply to one prompt of a group."""
        self.store.journal.keep(key, position, reply, self.backend_digest, self.session_id)

    def spent(self) -> tuple[int, int]:
        """Return the requests and tokens that all sessions have spent on the scopes of the account."""
        return self.store.journal.spent(self.account.scopes | {self.scope})

    def spend(self, requests: int, tokens: int) -> None:
        """Add to what this session has spent."""
        self.store.journal.spend(self.session_id, self.scope, requests, tokens)

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add to what this session has spent, if the budget allows it. Returns whether it does."""
        with self.store.journal.exclusive():
            spent = self.spent()
            if not self.budget.allows(spent[0] + requests, spent[1] + tokens):
                return False
            self.spend(requests, tokens)
            return True
