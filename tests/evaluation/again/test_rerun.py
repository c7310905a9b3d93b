"""Two runs side by side, item by item."""

import pytest

from judgeharness.evaluation.again.rerun import beside


def test_a_run_is_itself(pretend):
    workspace, evaluate = pretend
    (run,) = evaluate("parallel")
    with workspace.open_store() as store:
        found = beside(run, store, run, store)
    assert found.holds
    assert (found.compared, found.largest, found.mean) == (3, 0.0, 0.0)
    assert found.changes == []
    assert all(then == now for then, now in found.metrics().values())


def test_distances_are_total_variation_and_the_farthest_is_named(pretend):
    workspace, evaluate = pretend
    (run,), (other,) = evaluate("parallel"), evaluate("no-explanation", limit=2)
    with workspace.open_store() as store:
        found = beside(run, store, other, store)
        then, now = (
            {each.uid: each.probabilities for each in store.runs.predictions(each_run.id)} for each_run in (run, other)
        )
    distances = {uid: sum(abs(a - b) for a, b in zip(then[uid], now[uid], strict=True)) / 2 for uid in now}
    assert found.compared == 2
    assert found.largest == pytest.approx(max(distances.values()))
    assert found.mean == pytest.approx(sum(distances.values()) / 2)
    assert distances[found.farthest] == max(distances.values())
    assert found.only_then == [uid for uid in then if uid not in now]
    assert not found.holds
