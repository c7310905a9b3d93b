"""Where a session keeps what a backend answers: whole groups, and what comes before a group is whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from judgeharness.backends.contract import Budget
from judgeharness.domain.hashes import group_digest
from judgeharness.domain.nouns import Answer, PromptGroup
from judgeharness.store.answers import Answers
from judgeharness.store.database import Store
from judgeharness.store.transactions import transaction


@dataclass(frozen=True, slots=True)
class Account:
    """A budget, and all scopes whose spending counts against it: those of one call of a command."""

    budget: Budget = field(default_factory=Budget)
    scopes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerStore:
    """The answers of one backend in a store, as one session adds to them.

    scope: what its requests are spent on, such as a run: the same in every call that asks for the same. It is the
    `Ledger` of models that are paid by the request.
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
        """Reserve a group, so that nobody else asks for it; False if it is reserved already."""
        return self.store.journal.lease(key, self.session_id)

    def release(self, key: str) -> None:
        """Let others ask for a group, if there is still anything to be asked."""
        self.store.journal.release(key)

    def add(self, key: str, answer: Answer) -> None:
        """Keep the answer to a whole group; committed to disk when this returns."""
        self.store.require_there()
        with transaction(self.store.connection):
            self.answers.add(key, self.backend_digest, self.session_id, answer)
            # In one step, so that a kill leaves none of them behind.
            self.store.connection.execute("DELETE FROM replies WHERE group_key = ?", (key,))
        self.release(key)

    def key(self, group: PromptGroup) -> str:
        """The key of a group's answer."""
        return group_digest(group, self.backend_digest)

    def replies(self, key: str) -> Mapping[int, str]:
        """The replies to a group's prompts from before, by the prompt's position."""
        return self.store.journal.replies(key)

    def keep(self, key: str, position: int, reply: str) -> None:
        """Keep the reply to a prompt of a group."""
        self.store.journal.keep(key, position, reply, self.backend_digest, self.session_id)

    def spent(self) -> tuple[int, int]:
        """Requests and tokens that were spent on all scopes of the account, by any session."""
        return self.store.journal.spent(self.account.scopes | {self.scope})

    def spend(self, requests: int, tokens: int) -> None:
        """Add to what this session spent."""
        self.store.journal.spend(self.session_id, self.scope, requests, tokens)

    def spend_within(self, requests: int, tokens: int) -> bool:
        """Add to what this session spent if the budget allows it; whether it does."""
        with self.store.journal.exclusive():
            spent = self.spent()
            if not self.budget.allows(spent[0] + requests, spent[1] + tokens):
                return False
            self.spend(requests, tokens)
            return True
