import numpy as np
import pytest
from scipy.stats import kendalltau

from judgeharness.testing import MetricConformance
from judgeharness_ranks.kendall import kendall

pytest_plugins = ["judgeharness.testing.fixtures"]


class TestKendall(MetricConformance):
    name = "kendall"


def test_it_is_scipys():
    rng = np.random.default_rng(0)
    human, model = (rng.multinomial(6, [0.5, 0.3, 0.1, 0.1], size=300) / 6 for _ in range(2))
    expected = [kendalltau(a, b).statistic for a, b in zip(human, model, strict=True)]
    defined = ~np.isnan(expected)
    np.testing.assert_allclose(kendall(human, model)[defined], np.array(expected)[defined], atol=1e-12)
    assert not kendall(human, model)[~defined].any()


@pytest.fixture
def run_id(run_judgeharness, temporary_store):
    said = run_judgeharness("eval", "--task", "nli-sample", "--backend", "baseline:explanations", "--metric", "kendall")
    assert said.code == 0, said.err
    assert "τ-b" in said.out
    return temporary_store.runs.all()[0].id


def test_the_furthest_items_come_first(run_judgeharness, run_id):
    said = run_judgeharness("furthest", run_id, "--metric", "kendall", "--top", "24")
    assert said.code == 0, said.err
    head, *lines = said.out.splitlines()
    assert head.startswith("baseline:explanations on nli-sample: τ-b by item")
    values = [float(line.split()[0]) for line in lines]
    assert len(values) == 24
    assert values == sorted(values)


def test_lower_is_better_where_it_is(run_judgeharness, run_id):
    lines = run_judgeharness("furthest", run_id, "--top", "5").out.splitlines()[1:]
    values = [float(line.split()[0]) for line in lines]
    assert len(values) == 5
    assert values == sorted(values, reverse=True)


def test_a_metric_of_whole_sets_is_refused(run_judgeharness, run_id):
    said = run_judgeharness("furthest", run_id, "--metric", "dcor")
    assert said.code == 2
    assert "dcor is a metric of whole sets of items" in said.err
