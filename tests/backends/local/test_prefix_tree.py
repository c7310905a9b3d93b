import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.local.prefix_tree import TokenCount, build_tree, count_tokens, cut, side_by_side

prompt = st.lists(st.integers(0, 2), min_size=1, max_size=9)
prompts = st.lists(prompt, min_size=1, max_size=12)


@given(prompts)
def test_unique_tokens_are_the_nodes_of_the_prefix_tree(given_prompts):
    nodes = {tuple(each[: end + 1]) for each in given_prompts for end in range(len(each))}
    assert count_tokens(given_prompts) == TokenCount(sum(map(len, given_prompts)), len(nodes))


@given(prompts)
def test_every_path_gives_back_its_prompt(given_prompts):
    tree = build_tree(given_prompts)
    for index, each in enumerate(given_prompts):
        assert tree.path(index).tolist() == each
        leaf = tree.leaves[index]
        assert tree.depths[np.append(tree.ancestors(leaf), leaf)].tolist() == list(range(len(each)))


@given(prompts)
def test_intervals_are_subtrees(given_prompts):
    tree = build_tree(given_prompts)
    whole = {}
    for token in range(len(tree.tokens)):
        whole[token] = tuple(tree.tokens[np.append(tree.ancestors(token), token)])
    for upper, prefix in whole.items():
        for lower, path in whole.items():
            below = path[: len(prefix)] == prefix
            assert below == (upper <= lower < tree.ends[upper])


@given(st.lists(prompts, min_size=1, max_size=4))
def test_trees_side_by_side_share_nothing(groups):
    forest = side_by_side([build_tree(group) for group in groups])
    every = [each for group in groups for each in group]
    assert [forest.path(index).tolist() for index in range(len(every))] == every
    assert len(forest.tokens) == sum(count_tokens(group).unique for group in groups)


@given(st.lists(prompts, min_size=1, max_size=3), st.integers(1, 12), st.integers(1, 5), st.integers(1, 3))
def test_in_a_cut_tree_every_token_sees_its_path_and_no_more(groups, chunk_tokens, run_tokens, together):
    forest = side_by_side([build_tree(group) for group in groups])
    seen_by = {}
    at_hand = np.empty(0, dtype=int)
    for chunk in cut(forest, chunk_tokens, run_tokens, together):
        np.testing.assert_array_equal(chunk.kept, at_hand)
        assert chunk.stop - chunk.start <= chunk_tokens
        here = np.concatenate([chunk.kept, np.arange(chunk.start, chunk.stop)])
        for block in chunk.blocks:
            runs, width = block.shape
            assert runs <= together
            assert width <= run_tokens
            for place in range(runs * width):
                token = chunk.start + block.first + place
                run, column = divmod(place, width)
                keys = here[block.keys[run]]
                visible = keys[block.visible[run, column]]
                assert token not in seen_by
                seen_by[token] = visible.tolist()
                distances = block.distances[run, column][block.visible[run, column]]
                np.testing.assert_array_equal(distances, forest.depths[token] - forest.depths[visible])
        at_hand = here[chunk.carried]
    assert sorted(seen_by) == list(range(len(forest.tokens)))
    for token, visible in seen_by.items():
        assert sorted(visible) == [*forest.ancestors(token).tolist(), token]


def test_a_prompt_that_begins_another_has_its_leaf_inside():
    tree = build_tree([[1, 2, 3], [1, 2], [1, 2]])
    assert tree.tokens.tolist() == [1, 2, 3]
    assert tree.leaves.tolist() == [2, 1, 1]


def test_an_empty_prompt_is_refused():
    with pytest.raises(ValueError, match="without tokens"):
        build_tree([[1], []])


def test_counts_add_up():
    assert TokenCount(5, 3) + TokenCount(2, 2) == TokenCount(7, 5)
