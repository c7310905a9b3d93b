"""What boards say in words."""

import json
from dataclasses import replace

import numpy as np
import pytest

from judgeharness.domain.nouns import Item, Prediction
from judgeharness.evaluation.components import default_measures
from judgeharness.reports.leaderboard import View, leaderboard
from judgeharness.reports.verdict import sentences
from judgeharness.store.records import ComponentRecord, RunRecord
from tests.helpers import bundled, judgeharness
from tests.reports.formats.test_table import run


class Stored:
    """Runs as a store has them, of judges whose distributions are given."""

    def __init__(self, store, task, models):
        self.runs, self.store = [], store
        store.runs.add_task(task)
        with store.connection:
            store.connection.execute("INSERT INTO backends (digest, description) VALUES ('b', '{}')")
        for name, (rows, more) in models.items():
            failed = sum(row is None for row in rows)
            about = {"task_digest": task.digest, "n_items": len(rows), "n_failed": failed, "temperature": None, **more}
            made = run("parallel", "norm", (None,) * 4, backend=name, **about)
            predictions = [
                Prediction(item.uid, None, "refused") if row is None else Prediction(item.uid, tuple(row))
                for item, row in zip(task.items, rows, strict=True)
            ]
            self.runs.append((made, predictions))

    def board(self, measures, sort="jsd", people=()):
        made = [each for each, _ in self.runs]
        found = {each.id: predictions for each, predictions in self.runs}
        stored = self.store.runs

        class Both:
            def __getattr__(self, name):
                return getattr(stored, name)

            def predictions(self, run_id):
                return found[run_id]

        (board,) = leaderboard(made, Both(), measures, View(sort=sort, people=people)).boards
        return board


@pytest.fixture
def measures(registry):
    return default_measures(registry, ["entce", "ece"])


@pytest.fixture
def task(folders):
    return bundled("chaosnli", folders)


def blurred(human, share, seed):
    random = np.random.default_rng(seed)
    return (1 - share) * human + share * random.dirichlet([1, 1, 1], len(human))


def test_a_judge_with_275_failures_is_neither_starred_nor_ranked(store, task, measures):
    """It answered 66 of 341 items, on which it is as good as can be."""
    human = task.human
    lucky = [tuple(row) if place < 66 else None for place, row in enumerate(human)]
    found = Stored(store, task, {"hf:whole": (blurred(human, 0.4, 0), {}), "hf:lucky": (lucky, {})}).board(measures)
    lucky_id = next(each.id for each in found.runs if each.backend == "hf:lucky")
    assert lucky_id not in found.ranks
    assert all(lucky_id not in ids for ids in found.stars.values())


def test_what_equals_uniform_is_not_starred(store, task, measures):
    uniform = np.full((341, 3), 1 / 3)
    noise = uniform + 1e-5 * (np.random.default_rng(0).dirichlet([1, 1, 1], 341) - 1 / 3)
    found = Stored(store, task, {"hf:a": (uniform, {}), "hf:b": (noise, {})}).board(measures)
    assert not any(found.stars[name] for name in ("kl", "jsd", "tvd"))
    said = list(sentences(found))
    assert "Neither judge is better than baseline:uniform beyond noise." in said
    assert "Nothing tells the 2 judges apart: their differences are within noise." in said


def test_the_truth_is_at_the_floor_and_what_has_seen_the_votes_is_below(store, task, measures):
    human, random = task.human, np.random.default_rng(0)
    votes = np.array([item.votes for item in task.items])
    truth = random.standard_gamma(votes + 0.8)
    truth /= truth.sum(axis=1, keepdims=True)
    models = {
        "hf:truth": (truth, {}),
        "hf:thief": (blurred(human, 0.02, 1), {}),
        "hf:poor": (blurred(human, 0.6, 2), {}),
    }
    said = list(sentences(Stored(store, task, models).board(measures)))
    assert any(line.startswith("At the noise floor: hf:truth") for line in said)
    assert any(line.startswith("Below the noise floor, which a perfect judge has: hf:thief") for line in said)
    assert "All judges are better than baseline:uniform beyond noise." in said


def test_the_best_of_many_that_know_nothing_is_not_starred(store, task, measures):
    """Forty judges around uniform: the best of them is better in a single test, and that by chance."""
    random = np.random.default_rng(3)
    models = {f"hf:{n}": (random.dirichlet([400, 400, 400], 341), {}) for n in range(40)}
    assert not Stored(store, task, models).board(measures).stars["jsd"]


def test_one_item_with_one_vote_leaves_the_noise_floor(store, task, measures):
    first, *rest = task.items
    alone = replace(first, human=(1.0, 0.0, 0.0), votes=(1.0, 0.0, 0.0))
    single = replace(task, items=(alone, *rest))
    said = list(sentences(Stored(store, single, {"hf:a": (task.human, {})}).board(measures)))
    assert "There are no people to compare with: that takes two votes for every item." in said
    assert not any(line.startswith("There is no noise floor") for line in said)


def test_flat_judges_are_told_from_what_flattens_them(store, task, measures):
    flat = 1 / 3 + 0.01 * (task.human - 1 / 3)
    models = {"hf:a": (flat, {"temperature": 20.0}), "hf:b": (task.human, {})}
    said = list(sentences(Stored(store, task, models).board(measures)))
    assert any(line.startswith("1 of 2 judges are within 0.0") for line in said)
    assert any(line.startswith("A temperature of 20 flattens 1 of these: --temperature 1 shows more") for line in said)


def test_the_order_of_the_options_is_named_if_it_decides(store, task, measures):
    record = RunRecord(order_spread=0.2, item_spread=0.01)
    said = list(sentences(Stored(store, task, {"hf:a": (task.human, {"record": record})}).board(measures)))
    assert any("moves these more than the item does: hf:a parallel" in line for line in said)


def test_answers_that_are_drawn_have_a_floor_of_their_own(store, task, measures):
    record = RunRecord(strategy=ComponentRecord(name="sampling", options={"n": 20}))
    board = Stored(store, task, {"hf:a": (task.human, {"record": record})}).board(measures)
    (row,) = [each for each in board.references if each.name == "noise floor of 20 answers"]
    assert row.metrics["jsd"] == pytest.approx(0.11, abs=0.02)


def test_people_and_judge_against_the_same_half(store, task, measures):
    found = Stored(store, task, {"hf:a": (task.human, {})}).board(measures, people=(5, 60))
    rows = {row.name: row for row in found.references}
    assert rows["5 annotators"].against == rows["human split-half"].against == "half of the votes"
    assert rows["60 annotators"].note
    (line,) = [line for line in sentences(found) if line.startswith("Against half of the votes")]
    assert "5 annotators has 0.2" in line


def test_calibration_is_not_about_people(store, task, measures):
    """A perfect judge is not calibrated against the majority, and the uniform one is: the floor means nothing there."""
    models = {"hf:a": (task.human, {}), "hf:b": (blurred(task.human, 0.5, 0), {})}
    found = Stored(store, task, models).board(measures, sort="ece")
    assert found.verdict is None
    assert found.ranks == {}


def test_the_mean_distribution_depends_on_no_item(store, task, measures):
    board = Stored(store, task, {"hf:a": (task.human, {})}).board(measures)
    (row,) = [each for each in board.references if each.name == "baseline:mean"]
    assert row.metrics["dcor"] == 0
    assert row.metrics["jsd"] == pytest.approx(0.285, abs=0.005)


def test_ranks_do_not_fall_down_the_table(store, task, measures):
    models = {f"hf:{n}": (blurred(task.human, 0.2 + 0.08 * n, n), {}) for n in range(8)}
    for sort in ("jsd", "dcor", "kl"):
        board = Stored(store, task, models).board(measures, sort=sort)
        ranks = [board.ranks[each.id] for each in board.runs]
        assert ranks == sorted(ranks)
        store.connection.execute("DELETE FROM backends")


def test_few_votes_have_a_line_of_their_own(store, task, measures):
    random = np.random.default_rng(0)
    votes = random.multinomial(3, task.human)
    items = tuple(
        Item(item.uid, {}, tuple(row / 3), tuple(float(count) for count in row))
        for item, row in zip(task.items, votes, strict=True)
    )
    few = replace(task, items=items)
    found = Stored(store, few, {"hf:a": (blurred(task.human, 0.3, 0), {})}).board(measures)
    ((value, sure),) = found.debiased.values()
    truth = measures["kl"].metric(task.human, blurred(task.human, 0.3, 0)).mean()
    assert sure.low < truth < sure.high
    assert any(line.startswith("Votes are few. KL against the distribution behind them") for line in sentences(found))
    assert value < next(each.metrics["kl"] for each in found.runs)


def test_the_program_says_it_in_every_format(tmp_path):
    store = tmp_path / "s.db"
    judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:explanations", "--store", store)
    said = "There is no verdict"
    for form in ("table", "markdown", "latex", "json"):
        done = judgeharness("leaderboard", "--store", store, "--format", form)
        assert done.code == 0, done.err
        assert said not in done.out
    (board,) = json.loads(judgeharness("leaderboard", "--store", store, "--format", "json").out)["boards"]
    assert board["metric"] == "jsd"
    assert board["verdict"] == []
