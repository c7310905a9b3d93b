import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.llamacpp.decodes import decodes, one_by_one, parts
from judgeharness.backends.local.prefix_tree import build_tree

PROMPTS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=12)


@given(PROMPTS, st.integers(1, 9))
def test_each_sequence_is_a_prompt_and_nothing_is_kept_longer_than_needed(prompts, batch):
    """Plays llama.cpp's cache by hand: what a sequence holds when it is read is its prompt."""
    tree = build_tree(prompts)
    held, read = {}, []
    for step in decodes(tree, batch):
        assert len(step.tokens) <= batch
        for place, token in enumerate(step.tokens):
            for sequence in range(step.first_sequences[place], step.last_sequences[place]):
                path = held.setdefault(sequence, [])
                assert len(path) == step.positions[place]
                path.append(int(token))
                if place in step.outputs and len(read) + list(step.outputs).index(place) == sequence:
                    assert path in prompts
        read += [held[sequence] for sequence in range(*step.finished)]
        assert len(step.outputs) == step.finished[1] - step.finished[0]
        for sequence in range(*step.finished):
            del held[sequence]
    assert not held
    places = np.searchsorted(np.unique(tree.leaves), tree.leaves)
    assert [read[place] for place in places] == prompts


@given(PROMPTS, st.integers(1, 5))
def test_parts_hold_every_prompt_once(prompts, most):
    found = parts(prompts, most)
    assert sorted(index for part in found for index in part) == list(range(len(prompts)))
    assert all(len({tuple(prompts[index]) for index in part}) <= most for part in found)


def test_one_by_one_shares_nothing():
    steps = [list(each) for each in one_by_one([[1, 2, 3], [1, 2]], 2)]
    assert [[step.tokens.tolist() for step in each] for each in steps] == [[[1, 2], [3]], [[1, 2]]]
