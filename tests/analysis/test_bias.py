import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.bias import PromptShares, letters, measure_bias, places, spread
from tests.helpers import judgeharness

ORDERS = list(itertools.permutations(range(3)))
PAIRS = list(itertools.permutations(range(3), 2))


def asked(judge, explained=(0, 1, 2)):
    """An item asked in every order; `judge` gives weights of labels from the options and the explanations shown."""
    rows = [(options, shown) for options in ORDERS for shown in PAIRS]
    weights = np.array([judge(options, shown) for options, shown in rows], dtype=float)
    return PromptShares(
        weights / weights.sum(axis=1, keepdims=True),
        np.array([options for options, _ in rows]),
        np.array([shown for _, shown in rows]),
        np.array(explained),
    )


def even(options, shown):
    return (5.0, 3.0, 2.0)


def likes_first_letter(options, shown):
    return [3.0 if options[0] == label else 1.0 for label in range(3)]


def likes_last_explanation(options, shown):
    return [2.0 if shown[-1] == label else 1.0 for label in range(3)]


def test_an_even_judge_has_no_preference():
    found = measure_bias([asked(even)] * 5)
    assert [each.value for each in found.letters] == pytest.approx([1 / 3] * 3)
    assert [each.value for each in found.places] == pytest.approx([1 / 3] * 2)
    assert (found.option_spread.value, found.explanation_spread.value) == pytest.approx((0, 0))


def test_a_liked_letter_is_found():
    item = asked(likes_first_letter)
    assert letters(item).tolist() == pytest.approx([0.6, 0.2, 0.2])
    found = measure_bias([item] * 10)
    assert found.letters[0].interval.low == pytest.approx(0.6)
    # Each label is first in two of six orders: .6, .6, .2, .2, .2, .2.
    assert found.option_spread.value == pytest.approx(np.std([0.6, 0.6, 0.2, 0.2, 0.2, 0.2]))
    assert found.explanation_spread.value == pytest.approx(0)


def test_a_liked_place_is_found():
    item = asked(likes_last_explanation)
    assert places(item).tolist() == pytest.approx([0.25, 0.5])
    assert spread(item, item.options, item.explanations) == pytest.approx(0)
    assert measure_bias([item]).explanation_spread.value > 0.1
    assert measure_bias([item]).letters[0].interval is None


@given(st.integers(0, 1000))
def test_spreads_by_loops(seed):
    random = np.random.default_rng(seed)
    item = asked(lambda options, shown: random.dirichlet([1, 1, 1]))
    table = {
        (tuple(o), tuple(e)): p for o, e, p in zip(item.options, item.explanations, item.probabilities, strict=True)
    }
    over_options = np.mean([np.std([table[o, e] for o in ORDERS], axis=0).mean() for e in PAIRS])
    over_explanations = np.mean([np.std([table[o, e] for e in PAIRS], axis=0).mean() for o in ORDERS])
    assert spread(item, item.options, item.explanations) == pytest.approx(over_options)
    assert spread(item, item.explanations, item.options) == pytest.approx(over_explanations)
    assert letters(item).sum() == pytest.approx(1)


def test_nothing_asked():
    with pytest.raises(ValueError, match="no item was asked"):
        measure_bias([])


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    store = tmp_path_factory.mktemp("bias") / "s.db"
    done = judgeharness(
        "eval", "--task", "nli-sample", "--limit", "3", "--backend", "llamacpp:smollm2", "--strategy", "no-explanation",
        "--strategy", "parallel-explicit", "-o", "option_orders=cyclic", "--backend", "baseline:uniform",
        "--transform", "softmax", "--temperature", "1", "--store", store, "--format", "json",
    )  # fmt: skip
    assert done.code == 0, done.err
    return store, {run["strategy"]: run["id"] for run in json.loads(done.out)["runs"]}


def test_a_stored_run_is_read_again_without_a_model(stored):
    store, runs = stored
    done = judgeharness("bias", runs["parallel-explicit"], "--store", store, "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert sum(each["value"] for each in found["letters"]) == pytest.approx(1)
    assert found["places"] == []
    assert found["explanation_spread"]["value"] > 0
    plain = judgeharness("bias", runs["no-explanation"][:6], "--store", store)
    assert "an even judge gives each letter 0.333" in plain.out
    assert "explanations move it" not in plain.out


def test_letters_are_those_of_the_stored_scores_by_hand(stored):
    store, runs = stored
    found = json.loads(judgeharness("bias", runs["no-explanation"], "--store", store, "--format", "json").out)
    prompts = judgeharness(
        "prompts", "--task", "nli-sample", "--limit", "3", "--strategy", "no-explanation", "-o", "option_orders=cyclic",
        "--format", "jsonl",
    ).out.splitlines()  # fmt: skip
    uids = list(dict.fromkeys(json.loads(line)["uid"] for line in prompts))
    means = []
    for uid in uids:
        item = json.loads(judgeharness("show", runs["no-explanation"], uid, "--store", store, "--format", "json").out)
        orders = [prompt["options"] for prompt in map(json.loads, prompts) if prompt["uid"] == uid]
        for scores, order in zip(item["scores"], orders, strict=True):
            shares = np.exp(np.array(scores)) / np.exp(np.array(scores)).sum()
            means.append([shares[item["labels"].index(name)] for name in order])
    assert [each["value"] for each in found["letters"]] == pytest.approx(np.mean(means, axis=0).tolist())


def test_runs_that_asked_nothing_and_tasks_that_have_changed(stored, tmp_path):
    store, runs = stored
    refused = judgeharness("bias", runs[None], "--store", store)
    assert refused.code == 2
    assert "asked no prompts" in refused.err
    task = tmp_path / "task.toml"
    task.write_text(
        'name = "nli-sample"\ntitle = "t"\ntemplate = "builtin:nli"\n[[labels]]\nname = "entailment"\ntext = "E"\n'
        '[[labels]]\nname = "neutral"\ntext = "N"\n[items]\nfile = "i.jsonl"\nvotes = "v"\n'
        'fields = {premise = "p", hypothesis = "h"}\n'
    )
    (tmp_path / "i.jsonl").write_text('{"uid": "other", "p": "x", "h": "y", "v": [1, 2]}\n')
    changed = judgeharness("bias", runs["no-explanation"], "--store", store, "--task", task)
    assert changed.code == 2
    assert "any more" in changed.err or "no split" in changed.err or "unknown split" in changed.err
