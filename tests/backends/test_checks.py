from hypothesis import given
from hypothesis import strategies as st

from judgeharness.backends.checks import CheckedLengths

PROMPTS = st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=20), min_size=1, max_size=8)


@given(st.lists(PROMPTS, min_size=1, max_size=8))
def test_every_prompt_is_within_the_lengths_that_were_tried(packs):
    checked = CheckedLengths()
    tried: list[int] = []
    for prompts in packs:
        sample = checked.sample(prompts)
        lengths = [len(prompt) for prompt in prompts]
        news = not tried or min(lengths) < min(tried) or max(lengths) > max(tried)
        assert bool(sample) == news
        tried += map(len, sample)
        assert min(tried) <= min(lengths)
        assert max(lengths) <= max(tried)
        if sample:
            assert {min(map(len, sample)), max(map(len, sample))} == {min(tried), max(tried)}


def test_the_first_time_there_are_some_between():
    prompts = [[1] * length for length in range(1, 12)]
    assert [len(prompt) for prompt in CheckedLengths().sample(prompts)] == [1, 6, 11]
