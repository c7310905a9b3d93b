from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.openai.budget import Budget


def test_a_group_is_promised_whole_or_not_at_all():
    budget = Budget(max_requests=5, max_tokens=100)
    assert budget.promise([10, 10, 10])
    assert not budget.promise([10, 10, 10])
    assert not budget.promise([80])
    assert budget.promise([20, 20])
    budget.withdraw([20])
    budget.spend(20, 5)
    assert (budget.requests, budget.tokens) == (1, 5)
    assert budget.promise([65])


def test_estimates_follow_what_the_server_counts():
    budget = Budget()
    first = budget.estimate(1000)
    budget.learn(1000, 250)
    assert budget.estimate(1000) < first
    budget.learn(1000, 300)
    assert budget.estimate(1000) >= 300
    budget.learn(0, 3)


@given(st.integers(1, 30), st.integers(1, 500), st.lists(st.lists(st.integers(1, 60), min_size=1, max_size=6)))
def test_nothing_goes_past_the_budget(requests, tokens, groups):
    budget = Budget(requests, tokens)
    for group in groups:
        if budget.promise(group):
            for each in group:
                budget.spend(each, each)
    assert budget.requests <= requests
    assert budget.tokens <= tokens
