import json

import dcor as reference
import numpy as np
import pytest

from judgeharness.backends.baseline import FOLDS, mean_distribution
from judgeharness.metrics.dcor import dcor
from tests.helpers import bundled, judgeharness

# The paper's table, recomputed from the released data: KL, JSD, TVD, D.Corr.
RECOMPUTED = {
    "mnli-single": (9.288, 0.422, 0.435, 0.612),
    "mnli-distribution": (1.242, 0.209, 0.215, 0.795),
    "varierr": (3.604, 0.282, 0.286, 0.688),
    "uniform": (0.365, 0.307, 0.350, 0.0),
    "human": (0.0, 0.0, 0.0, 1.0),
}


def test_the_baselines_of_the_papers_table(data_dir, tmp_path):
    backends = [word for name in RECOMPUTED for word in ("--backend", f"baseline:{name}")]
    result = judgeharness(
        "eval",
        "--task",
        "chaosnli",
        "--data-dir",
        data_dir,
        *backends,
        "--format",
        "json",
        "--store",
        tmp_path / "s.db",
    )
    assert result.code == 0, result.err
    runs = json.loads(result.out)["runs"]
    assert [run["backend"] for run in runs] == [f"baseline:{name}" for name in RECOMPUTED]
    for run, expected in zip(runs, RECOMPUTED.values(), strict=True):
        assert (run["strategy"], run["transform"], run["temperature"]) == (None, None, None)
        assert (run["n_items"], run["n_failed"]) == (341, 0)
        assert [round(run["metrics"][name], 3) for name in ("kl", "jsd", "tvd", "dcor")] == list(expected)


@pytest.mark.parametrize("task", ["chaosnli-snli", "chaosnli-alphanli", "chaosnli-mnli"])
def test_every_task_has_its_references_as_rows(data_dir, tmp_path, task):
    words = ("--task", task, "--data-dir", data_dir, "--store", tmp_path / "s.db")
    shown = judgeharness("eval", *words, "--backend", "baseline:human")
    prefix = {"chaosnli-snli": "snli", "chaosnli-alphanli": "alphanli", "chaosnli-mnli": "mnli"}[task]
    assert f"baseline:{prefix}-single" in shown.out
    assert "baseline:uniform" in shown.out
    unknown = judgeharness("eval", *words, "--backend", "baseline:varierr")
    assert unknown.code == 2
    assert f"it has: uniform, human, mean, {prefix}-" in unknown.err


@pytest.mark.parametrize("name", ["mnli-single", "mnli-distribution", "varierr"])
def test_distance_correlation_on_the_real_items_is_that_of_the_package_dcor(folders, name):
    items = bundled("chaosnli", folders).items
    human = np.array([item.human for item in items])
    model = np.array([item.references[name] for item in items])
    assert dcor(human, model) == pytest.approx(float(reference.distance_correlation(human, model)), abs=1e-9)


def test_the_mean_distribution_is_that_of_other_items():
    human = np.random.default_rng(0).dirichlet([1, 1, 1], 95)
    found = mean_distribution(human)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert len({tuple(row) for row in found.round(12)}) == FOLDS
    for place in range(95):
        changed = human.copy()
        changed[place] = [1, 0, 0]
        assert mean_distribution(changed)[place] == pytest.approx(found[place])
    np.testing.assert_allclose(found, np.tile(human.mean(axis=0), (95, 1)), atol=0.05)
    assert mean_distribution(human[:1]).tolist() == [[1 / 3] * 3]
    assert mean_distribution(human[:2])[0] == pytest.approx(human[1])


def test_the_mean_is_a_baseline_of_every_task(tmp_path):
    done = judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:mean", "--format", "json")
    (run,) = json.loads(done.out)["runs"]
    assert 0 < run["metrics"]["jsd"] < 0.5
