import hashlib
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.domain.errors import InputError
from judgeharness.strategies.selections import OrderedSelections
from tests.helpers import bundled


def _turn(groups, uid, explanations, options):
    for prompt in groups[uid].prompts:
        if prompt.explanations == explanations and prompt.options == options:
            return prompt.messages[0].content
    raise AssertionError((explanations, options))


@pytest.fixture(scope="module")
def chaosnli(data_dir, tmp_path_factory):
    from judgeharness.tasks.datasets import DataFolders

    return bundled("chaosnli", DataFolders(data_dir, tmp_path_factory.mktemp("cache")))


PUBLISHED = [
    ("no-explanation", (), (0, 1, 2), "e411ecec8cfb93a4"),
    ("serial", (0, 1, 2, 3), (2, 1, 0), "5a5da5f9ccefc4b9"),
    ("serial-explicit", (0, 1, 2, 3), (0, 1, 2), "21ea71fd69bf6652"),
    ("parallel", (0,), (0, 1, 2), "3f81dbe5f35bcc77"),
    ("parallel-explicit", (1,), (0, 1, 2), "2d1e645de22ed0b2"),
]


def _strategy(registry, name, **values):
    from judgeharness.evaluation.components import component

    return component(registry.strategies, name, values).part


@pytest.mark.parametrize(("name", "explanations", "options", "expected"), PUBLISHED)
def test_prompts_match_the_paper_to_the_character(registry, chaosnli, name, explanations, options, expected):
    item = next(item for item in chaosnli.items if item.uid == "61429c")
    groups = {item.uid: _strategy(registry, name).group(item, chaosnli)}
    turn = _turn(groups, "61429c", explanations, options)
    assert hashlib.sha256(turn.encode()).hexdigest()[:16] == expected


COUNTS = {
    "no-explanation": 2046,
    "serial": 49104,
    "serial-explicit": 49104,
    "parallel": 8184,
    "parallel-explicit": 8184,
}


@pytest.mark.parametrize("name", COUNTS)
def test_prompt_counts_over_the_task(registry, chaosnli, name):
    strategy = _strategy(registry, name)
    total = sum(strategy.count(3, len(item.explanations)) for item in chaosnli.items)
    assert total == COUNTS[name]
    item = chaosnli.items[0]
    assert len(strategy.group(item, chaosnli).prompts) == strategy.count(3, 4)


@given(k=st.integers(0, 3), orders=st.sampled_from(["all", "cyclic"]), explicit=st.booleans())
def test_every_order_and_selection_once(nli_sample, k, orders, explicit):
    item = nli_sample.items[0]
    prompts = OrderedSelections(k, explicit, orders).group(item, nli_sample).prompts
    seen = [(prompt.explanations, prompt.options) for prompt in prompts]
    option_orders = list(itertools.permutations(range(3))) if orders == "all" else [(0, 1, 2), (1, 2, 0), (2, 0, 1)]
    assert seen == list(itertools.product(itertools.permutations(range(4), k), option_orders))
    assert len({prompt.messages for prompt in prompts}) == len(prompts)


@pytest.fixture(scope="module")
def nli_sample(tmp_path_factory):
    from judgeharness.tasks.datasets import DataFolders

    return bundled("nli-sample", DataFolders(None, tmp_path_factory.mktemp("cache")))


def test_explicit_prompts_show_the_annotators_labels(nli_sample):
    item = nli_sample.items[0]
    shown = OrderedSelections(None, True, "all").group(item, nli_sample).prompts[0].messages[0].content
    hidden = OrderedSelections(None, False, "all").group(item, nli_sample).prompts[0].messages[0].content
    for explanation in item.explanations:
        label = nli_sample.labels[explanation.label].text
        assert f"{explanation.text} So I choose {label}. " in shown
    assert "So I choose" not in hidden


def test_cyclic_orders_put_each_label_behind_each_letter_once(nli_sample):
    prompts = OrderedSelections(0, False, "cyclic").group(nli_sample.items[0], nli_sample).prompts
    for position in range(3):
        assert sorted(prompt.options[position] for prompt in prompts) == [0, 1, 2]


def test_a_task_without_explanations_is_refused(folders):
    task = bundled("chaosnli-snli", folders)
    with pytest.raises(InputError, match="1514 of 1514 items of chaosnli-snli have no explanations"):
        OrderedSelections(1, False, "all").check(task)
    OrderedSelections(0, False, "all").check(task)


def test_too_many_explanations_asked_for(nli_sample):
    with pytest.raises(InputError, match="fewer than 5 explanations"):
        OrderedSelections(5, False, "all").check(nli_sample)


def test_option_orders_beyond_reason_are_refused(nli_sample, monkeypatch):
    import judgeharness.strategies.selections as module

    monkeypatch.setattr(module, "MAX_PROMPTS", 100)
    with pytest.raises(InputError, match="144 prompts for one item") as caught:
        OrderedSelections(None, False, "all").check(nli_sample)
    assert "option_orders=cyclic" in caught.value.hint
    OrderedSelections(None, False, "cyclic").check(nli_sample)
    assert OrderedSelections(None, False, "all").count(26, 0) == math.factorial(26)
