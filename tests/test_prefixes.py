from hypothesis import given
from hypothesis import strategies as st

from judgeharness.prefixes import TokenCount, count_tokens


@given(st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=12))
def test_unique_tokens_are_the_nodes_of_the_prefix_tree(prompts):
    nodes = {tuple(prompt[: end + 1]) for prompt in prompts for end in range(len(prompt))}
    assert count_tokens(prompts) == TokenCount(sum(map(len, prompts)), len(nodes))


def test_counts_add_up():
    assert TokenCount(5, 3) + TokenCount(2, 2) == TokenCount(7, 5)
