"""verbalized, sampling and cot: what they ask, and what they make of the texts."""

import itertools

import numpy as np
import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import LETTERS, Decoding, GeneratedTexts, PromptGroup
from judgeharness.strategies.contract import WritingStrategy
from judgeharness.strategies.cot import CotOptions, cot
from judgeharness.strategies.sampling import Sampling, SamplingOptions
from judgeharness.strategies.verbalized import VerbalizedOptions, verbalized
from tests.helpers import bundled

ALL = {
    "verbalized": lambda **more: verbalized(VerbalizedOptions(**more)),
    "sampling": lambda **more: Sampling(SamplingOptions(**more)),
    "cot": lambda **more: cot(CotOptions(**more)),
}


@pytest.fixture(params=["nli-sample", "chaosnli-alphanli"])
def task(request, tmp_path):
    from judgeharness.tasks.datasets import DataFolders

    own = request.getfixturevalue("data_dir") if request.param != "nli-sample" else None
    return bundled(request.param, DataFolders(own, tmp_path)).limited(3)


def answered(group, words):
    """A text for each prompt: `words` of its letters by label."""
    texts = tuple(
        words({label: letter for letter, label in zip(LETTERS, p.options, strict=False)}) for p in group.prompts
    )
    return GeneratedTexts(group.uid, texts, (False,) * len(texts))


@pytest.mark.parametrize("name", ALL)
def test_they_write_and_are_pure(name, task):
    strategy = ALL[name]()
    assert isinstance(strategy, WritingStrategy)
    strategy.check(task)
    for item in task.items:
        group = strategy.group(item, task)
        assert group == strategy.group(item, task)
        assert isinstance(group.decoding, Decoding)
        assert all(sorted(prompt.options) == list(range(len(task.labels))) for prompt in group.prompts)


@pytest.mark.parametrize("name", ALL)
def test_too_few_explanations_are_refused(name, data_dir, tmp_path):
    from judgeharness.tasks.datasets import DataFolders

    bare = bundled("chaosnli-snli", DataFolders(data_dir, tmp_path)).limited(2)
    ALL[name]().check(bare)
    with pytest.raises(InputError, match="2 of 2 items of chaosnli-snli have"):
        ALL[name](k=2).check(bare)


def test_percentages_come_back_by_label_under_every_order(task):
    strategy = verbalized(VerbalizedOptions())
    shares = [60, 40] if len(task.labels) == 2 else [60, 30, 10]
    item = task.items[0]
    group = strategy.group(item, task)
    assert len(group.prompts) == len(list(itertools.permutations(shares)))
    said = answered(group, lambda letters: "\n".join(f"{letters[n]}: {share}%" for n, share in enumerate(shares)))
    reading = strategy.follow(item, task, [said])
    np.testing.assert_allclose(reading.probabilities, np.tile(np.array(shares) / 100, (len(group.prompts), 1)))
    assert reading.read.all()


def test_what_cannot_be_read_is_left_out(task):
    strategy = verbalized(VerbalizedOptions(option_orders="cyclic"))
    group = strategy.group(task.items[0], task)
    equal = "\n".join(f"{letter}: {100 / len(task.labels):.1f}%" for letter in LETTERS[: len(task.labels)])
    texts = ["I do not know.", *[equal] * (len(group.prompts) - 1)]
    reading = strategy.follow(task.items[0], task, [GeneratedTexts("u", tuple(texts), (False,) * len(texts))])
    assert reading.read.tolist() == [False] + [True] * (len(texts) - 1)
    assert not reading.probabilities[0].any()


def test_the_instruction_stands_in_place_of_the_letter(task):
    content = verbalized(VerbalizedOptions()).group(task.items[0], task).prompts[0].messages[-1].content
    assert "single letter" not in content
    assert not content.endswith("Answer:")
    assert "percentages that sum to 100" in content
    first = "premise" if "premise" in task.items[0].fields else "obs1"
    assert task.items[0].fields[first] in content


def test_samples_are_counted_by_label(task):
    strategy = Sampling(SamplingOptions(n=7))
    item = task.items[1]
    group = strategy.group(item, task)
    assert len(group.prompts) == 7
    said = answered(group, lambda letters: f"{letters[1]}.")
    np.testing.assert_array_equal(
        strategy.follow(item, task, [said]).probabilities, np.tile(np.eye(len(task.labels))[1], (7, 1))
    )


def test_sampling_shuffles_options_and_explanations_by_seed_and_item(task):
    def orders(seed, item, k=0):
        return [
            (p.options, p.explanations)
            for p in Sampling(SamplingOptions(seed=seed, n=12, k=k)).group(item, task).prompts
        ]

    first, second = task.items[:2]
    assert len(set(orders(0, first))) > 1
    assert orders(0, first) != orders(1, first)
    assert orders(0, first) != orders(0, second)
    if first.explanations:
        assert len({shown for _, shown in orders(0, first, k=2)}) > 1
    seeds = {Sampling(SamplingOptions(seed=3)).group(item, task).decoding.seed for item in task.items}
    assert len(seeds) == len(task.items)


def test_the_letter_is_asked_for_after_the_reasons(task):
    strategy = cot(CotOptions(reasoning_tokens=40))
    item = task.items[0]
    group = strategy.group(item, task)
    assert group.decoding == Decoding(40, 0.0, 0)
    assert len(group.prompts) == len(task.labels)
    texts = GeneratedTexts(
        item.uid, tuple(f" because {n}\n" for n in range(len(group.prompts))), (False,) * len(group.prompts)
    )
    scored = strategy.follow(item, task, [texts])
    assert isinstance(scored, PromptGroup)
    assert scored.decoding is None
    assert [p.options for p in scored.prompts] == [p.options for p in group.prompts]
    roles = [[m.role for m in p.messages] for p in scored.prompts]
    assert roles == [["user", "assistant", "user"]] * len(group.prompts)
    assert [p.messages[1].content for p in scored.prompts] == [f"because {n}" for n in range(len(group.prompts))]
    assert scored.prompts[0].messages[0] == group.prompts[0].messages[0]
    empty = strategy.follow(
        item, task, [GeneratedTexts(item.uid, ("",) * len(group.prompts), (True,) * len(group.prompts))]
    )
    assert empty.prompts[0].messages[1].content == "..."
