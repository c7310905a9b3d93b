import json

import pytest

from tests.helpers import judgeharness


@pytest.fixture
def runs(tmp_path):
    store = tmp_path / "s.db"
    done = judgeharness(
        "eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--backend", "baseline:human",
        "--backend", "baseline:explanations", "--store", store, "--format", "json",
    )  # fmt: skip
    return store, [run["id"] for run in json.loads(done.out)["runs"]]


def test_runs_beside_the_first(runs):
    store, (uniform, human, explanations) = runs
    done = judgeharness("compare", uniform, human[:6], explanations, "--store", store, "--metric", "rankcs")
    assert done.code == 0, done.err
    words = " ".join(done.out.split())
    assert f"baseline:uniform [{uniform}] and baseline:human [{human}], 24 items" in words
    # Two runs in JSD, TVD, D.Corr and RankCS: for KL these are too few items.
    assert "corrected for 8 tests (Holm)" in words
    assert "second" in words
    assert "changed most by JSD:" in words
    found = json.loads(judgeharness("compare", uniform, human, "--store", store, "--format", "json").out)
    (other,) = found["others"]
    assert other["metrics"]["jsd"]["second"] == 0
    assert other["metrics"]["jsd"]["interval"]["high"] < 0
    assert other["metrics"]["jsd"]["p"] <= other["metrics"]["jsd"]["corrected"] < 0.01
    assert other["metrics"]["kl"]["p"] is None
    assert 0 < other["metrics"]["jsd"]["detectable"] < 1
    assert len(other["changed_most"]) == 5


def test_what_cannot_be_compared(runs, tmp_path):
    store, (uniform, human, _) = runs
    limited = judgeharness(
        "eval",
        "--task",
        "nli-sample",
        "--limit",
        "3",
        "--backend",
        "baseline:human",
        "--store",
        store,
        "--format",
        "json",
    )
    other = json.loads(limited.out)["runs"][0]["id"]
    for words, message in (
        ([uniform], "two runs or more"),
        ([uniform, uniform], "two runs or more"),
        ([uniform, other], "over different items"),
        ([uniform, "nothing"], "nothing"),
        ([uniform, human, "--by", "dcor"], "--by dcor: is of all items together"),
    ):
        done = judgeharness("compare", *words, "--store", store)
        assert done.code == 2, words
        assert message in done.err


def test_people_are_shown_below_a_leaderboard(runs):
    store, _ = runs
    shown = judgeharness("leaderboard", "--store", store, "--people", "4", "--people", "4").out
    assert shown.count("4 annotators") == 1
    assert "human split-half" in shown
    words = " ".join(shown.split())
    assert "½ against half of the votes, which are noisier than all votes: no bound for a judge" in words
    assert "can be expected to beat" not in words


def test_an_ordinal_metric_needs_ordinal_labels(runs, tmp_path):
    store, _ = runs
    command = ["eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--metric", "wasserstein"]
    refused = judgeharness(*command, "--store", store)
    assert refused.code == 2
    assert "is for labels with an order" in refused.err
    assert "-" in judgeharness("leaderboard", "--store", store, "--metric", "wasserstein").out
