import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.contract import Budget
from judgeharness.backends.openai.budget import BudgetError, NoLedger, Purse


class Limited(NoLedger):
    """Counters in memory with a limit."""

    def __init__(self, requests=None, tokens=None):
        super().__init__()
        self.budget = Budget(requests, tokens)

    def spend_within(self, requests, tokens):
        spent = self.spent()
        return self.budget.allows(spent[0] + requests, spent[1] + tokens) and super().spend_within(requests, tokens)


def purse(requests=None, tokens=None):
    found = Purse()
    found.use(Limited(requests, tokens))
    return found


def test_a_group_is_promised_whole_or_not_at_all():
    found = purse(5, 100)
    assert found.promise([10, 10, 10])
    assert not found.promise([10, 10, 10])
    assert not found.promise([80])
    assert found.promise([20, 20])
    found.withdraw([20])
    found.send(20)
    assert found.ledger.spent() == (1, 20)
    found.settle(20, 5)
    assert found.ledger.spent() == (1, 5)
    assert found.promise([65])


def test_what_was_spent_before_there_was_a_ledger_is_written_into_it():
    found = Purse()
    found.ledger.spend(3, 30)
    ledger = Limited()
    found.use(ledger)
    found.use(ledger)
    assert ledger.spent() == (3, 30)


def test_what_others_spend_meanwhile_counts():
    found = purse(5)
    assert found.promise([1])
    found.ledger.spend(5, 0)
    with pytest.raises(BudgetError):
        found.send(1)
    assert found.ledger.spent() == (5, 0)


def test_estimates_follow_what_the_server_counts():
    found = purse()
    first = found.estimate(1000)
    found.learn(1000, 250)
    assert found.estimate(1000) < first
    found.learn(1000, 300)
    assert found.estimate(1000) >= 300
    found.learn(0, 3)


@given(st.integers(1, 30), st.integers(1, 500), st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=6)))
def test_nothing_goes_past_the_budget(requests, tokens, groups):
    found = purse(requests, tokens)
    for group in groups:
        if found.promise(group):
            for each in group:
                found.send(each)
    spent = found.ledger.spent()
    assert spent[0] <= requests
    assert spent[1] <= tokens
