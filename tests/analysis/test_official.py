"""ChaosNLI's own figures, against scipy and by hand."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy

from judgeharness.analysis.official import official
from judgeharness.tasks.official import RightLabels, right_labels
from tests.helpers import bundled, judgeharness, no_meter


@given(st.integers(0, 10**6), st.integers(1, 30), st.integers(2, 5))
def test_figures_are_scipys(seed, items, labels):
    random = np.random.default_rng(seed)
    human, model = random.dirichlet([0.5] * labels, (2, items))
    predicted, old, majority = random.integers(0, labels, (3, items))
    found = official(human, model, predicted, RightLabels(tuple(old.tolist()), tuple(majority.tolist())))
    assert found.items == items
    assert found.js_distance == pytest.approx(np.mean([jensenshannon(h, m) for h, m in zip(human, model, strict=True)]))
    assert found.kl == pytest.approx(np.mean([entropy(h, m) for h, m in zip(human, model, strict=True)]))
    assert found.infinite == 0
    assert found.old_accuracy == pytest.approx(sum(predicted == old) / items)
    assert found.new_accuracy == pytest.approx(sum(predicted == majority) / items)


def test_kl_is_infinite_where_nothing_is_given_to_what_people_chose():
    human = np.array([[0.5, 0.5], [1.0, 0.0], [0.9, 0.1]])
    model = np.array([[1.0, 0.0], [1.0, 0.0], [0.9, 0.1]])
    found = official(human, model, np.array([0, 0, 0]), RightLabels((0, 1, 0), (1, 0, 0)))
    assert found.kl == np.inf
    assert found.infinite == 1
    assert (found.old_accuracy, found.new_accuracy) == pytest.approx((2 / 3, 2 / 3))


@pytest.mark.parametrize("name", ["chaosnli", "chaosnli-mnli", "chaosnli-snli", "chaosnli-alphanli"])
def test_right_labels_are_those_of_the_data(folders, data_dir, name):
    task = bundled(name, folders)
    found = right_labels(task, folders, no_meter)
    file = {"chaosnli-snli": "snli", "chaosnli-alphanli": "alphanli"}.get(name, "mnli_m")
    lines = (data_dir / "chaosnli" / f"chaosNLI_{file}.jsonl").read_text(encoding="utf-8").splitlines()
    records = {record["uid"]: record for record in map(json.loads, lines)}
    codes = [{label.name, *label.codes} for label in task.labels]
    for item, old, majority in zip(task.items, found.old, found.majority, strict=True):
        assert str(records[item.uid]["old_label"]) in codes[old]
        assert str(records[item.uid]["majority_label"]) in codes[majority]
        assert item.human[majority] == max(item.human)


def test_the_program_in_chaosnlis_own_form(folders, data_dir, monkeypatch, tmp_path):
    monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(data_dir))
    task = bundled("chaosnli-alphanli", folders)
    path = tmp_path / "predictions.json"
    entries = {
        item.uid: {"predicted_probabilities": [0.5, 0.5], "predicted_label": place % 2 + 1}
        for place, item in enumerate(task.items)
    }
    path.write_text(json.dumps(entries))
    done = judgeharness("score", path, "--task", "chaosnli-alphanli", "--official", "--format", "json")
    assert done.code == 0, done.err
    (row,) = json.loads(done.out)["official"]
    right = right_labels(task, folders, no_meter)
    assert row["items"] == 1532
    assert row["old_accuracy"] == pytest.approx(np.mean([old == n % 2 for n, old in enumerate(right.old)]))
    assert row["new_accuracy"] == pytest.approx(np.mean([new == n % 2 for n, new in enumerate(right.majority)]))
    assert row["kl"] == pytest.approx(np.mean([entropy(item.human, [0.5, 0.5]) for item in task.items]))
    shown = judgeharness("score", path, "--task", "chaosnli-alphanli", "--official")
    assert "new acc. ↑" in shown.out
    assert not list(tmp_path.glob("*.db")), "nothing is stored"


def test_what_has_no_official_figures(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text("{}\n")
    done = judgeharness("score", path, "--task", "nli-sample", "--official")
    assert done.code == 2
    assert "has no [official] labels" in done.err
    assert judgeharness("score", path, "--task", "nli-sample", "--official", "--metric", "ece").code == 2
    assert judgeharness("score", path, "--task", "nli-sample", "--official", "--format", "csv").code == 2
