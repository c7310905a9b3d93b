"""Leaderboards as they look, at the widths that terminals have."""

import hashlib
import io
import json
import re

import pytest
from rich.console import Console

from judgeharness.analysis.intervals import Interval
from judgeharness.evaluation.components import default_measures
from judgeharness.reports.formats import table
from judgeharness.reports.leaderboard import Board, Leaderboard, View, leaderboard
from judgeharness.reports.references import HALF, ReferenceRow
from judgeharness.store.records import RunRecord, TaskRecord
from judgeharness.store.runs import Run, StoredTask
from judgeharness.tasks.datasets import DataFolders
from tests.helpers import bundled, judgeharness

TASK = StoredTask("d", "chaosnli", "train", ("entailment", "neutral", "contradiction"), 20, 341, TaskRecord())


def run(strategy, transform, values, backend="hf:smollm2", **more):
    about = {
        "id": hashlib.sha256(f"{strategy} {transform} {backend}".encode()).hexdigest()[:12],
        "created": "2026-01-01T00:00:00+00:00", "session_id": "s", "task_digest": "d", "task": "chaosnli",
        "split": "train", "backend": backend, "backend_digest": "b", "strategy": strategy, "transform": transform,
        "temperature": 20.0 if transform == "softmax" else None, "n_items": 20, "n_failed": 0,
        "metrics": dict(zip(("kl", "jsd", "tvd", "dcor"), values, strict=True)), "record": RunRecord(options_mass=0.9),
    }  # fmt: skip
    return Run(**{**about, **more})


RUNS = (
    run("parallel-explicit", "softmax", (0.214, 0.237, 0.254, 0.802)),
    run("parallel-explicit", "norm", (0.243, 0.253, 0.273, 0.809)),
    run("no-explanation", "norm", (0.259, 0.262, 0.284, None)),
)
REFERENCES = (
    ReferenceRow("baseline:uniform", {"kl": 0.365, "jsd": 0.307, "tvd": 0.35, "dcor": 0.0}),
    ReferenceRow("baseline:mnli-distribution", {"kl": 1.242, "jsd": 0.209, "tvd": 0.215, "dcor": 0.795}),
)
STARS = {
    "kl": frozenset({RUNS[0].id}),
    "jsd": frozenset({RUNS[0].id}),
    "tvd": frozenset({RUNS[0].id}),
    "dcor": frozenset({RUNS[1].id}),
}


@pytest.fixture
def board(registry):
    metrics = tuple(each.spec for each in default_measures(registry).values())
    return Leaderboard(metrics, (Board(TASK, RUNS, REFERENCES, stars=STARS),), RUNS)


def printed(board, width, **settings):
    out = io.StringIO()
    Console(file=out, width=width, **settings).print(table.render(board, width))
    return re.sub(r"[ \t]+\n", "\n", out.getvalue())


WIDE = """
chaosnli · train · 20 of 341 items · 3 labels
backend                     strategy           transform       KL ↓   JSD ↓   TVD ↓  D.Corr ↑
─────────────────────────────────────────────────────────────────────────────────────────────
hf:smollm2                  parallel-explicit  softmax τ=20  *0.214  *0.237  *0.254     0.802
hf:smollm2                  parallel-explicit  norm           0.243   0.253   0.273    *0.809
hf:smollm2                  no-explanation     norm           0.259   0.262   0.284         -

baseline:uniform                                              0.365   0.307   0.350     0.000
baseline:mnli-distribution                                    1.242   0.209   0.215     0.795
* best model, if it is better than uniform beyond noise and answered all items
"""

MIDDLE = """
chaosnli · train · 20 of 341 items · 3 labels
judge                                        KL ↓   JSD ↓   TVD ↓  D.Corr ↑
───────────────────────────────────────────────────────────────────────────
hf:smollm2 parallel-explicit softmax τ=20  *0.214  *0.237  *0.254     0.802
hf:smollm2 parallel-explicit norm           0.243   0.253   0.273    *0.809
hf:smollm2 no-explanation norm              0.259   0.262   0.284         -

baseline:uniform                            0.365   0.307   0.350     0.000
baseline:mnli-distribution                  1.242   0.209   0.215     0.795
* best model, if it is better than uniform beyond noise and answered all items
"""


FULL_WIDE = """
chaosnli · train · 20 of 341 items · 3 labels
#  backend                     strategy           transform       KL ↓         JSD ↓         TVD ↓        D.Corr ↑      run
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
1  hf:smollm2                  parallel-explicit  softmax τ=20  *0.214 ±.021  *0.237 ±.018  *0.254 ±.018   0.802 ±.050  1a311962dc0f
1  hf:smollm2                  parallel-explicit  norm           0.243 ±.021   0.253 ±.018   0.273 ±.018  *0.809 ±.050  f556005553b5
3  hf:smollm2                  no-explanation     norm           0.259 ±.021   0.262 ±.018   0.284 ±.018       -        f83c71655f2c

   Llama-3-70B †               parallel-explicit  softmax τ=20   0.214         0.237             -             -
   original labels †                                             9.288             -             -             -

   noise floor                                                   0.010         0.045         0.043         0.988
   human split-half ½                                            0.107         0.090         0.087         0.956
   baseline:uniform                                              0.365         0.307         0.350         0.000
   baseline:mnli-distribution                                    1.242         0.209         0.215         0.795
* best model, if it is better than uniform beyond noise and answered all items
† as published in Someone 2020, Table 2
Llama-3-70B parallel-explicit softmax †: rounded
noise floor: what a judge gets that knows the distribution behind the votes
½ against half of the votes, which are noisier than all votes: no bound for a judge
# judges share a rank if nothing tells them apart (paired tests of all pairs, Holm's correction, .05)
± half of the 95 % interval on new items; [low high] where the value is not in the middle
no interval: fewer than 10 items (100 for KL and its kind), or no value
"""  # noqa: E501 (a terminal of 140 columns)

FULL_NARROW = """
chaosnli · train · 20 of 341 items · 3 labels
#  judge                         KL ↓   JSD ↓   TVD ↓  D.Corr ↑
───────────────────────────────────────────────────────────────
1  hf:smollm2                  *0.214  *0.237  *0.254     0.802
   parallel-explicit
   softmax τ=20
1  hf:smollm2                   0.243   0.253   0.273    *0.809
   parallel-explicit
   norm
3  hf:smollm2                   0.259   0.262   0.284         -
   no-explanation
   norm

   Llama-3-70B †                0.214   0.237       -         -
   parallel-explicit
   softmax τ=20
   original labels †            9.288       -       -         -

   noise floor                  0.010   0.045   0.043     0.988
   human split-half ½           0.107   0.090   0.087     0.956
   baseline:uniform             0.365   0.307   0.350     0.000
   baseline:mnli-distribution   1.242   0.209   0.215     0.795
* best model, if it is better than uniform beyond noise and answered all items
† as published in Someone 2020, Table 2
Llama-3-70B parallel-explicit softmax †: rounded
noise floor: what a judge gets that knows the distribution behind the votes
½ against half of the votes, which are noisier than all votes: no bound for a
judge
# judges share a rank if nothing tells them apart (paired tests of all pairs,
Holm's correction, .05)
"""


@pytest.fixture
def full(board):
    """With all that a board may have: intervals, places, printed rows."""
    values = (0.021, 0.0184, 0.0175, 0.05)
    intervals = {
        one.id: {
            name: None if value is None else Interval(value - half, value + half)
            for (name, value), half in zip(one.metrics.items(), values, strict=True)
        }
        for one in RUNS
    }
    ranks = dict(zip((one.id for one in RUNS), (1, 1, 3), strict=True))
    paper = "Someone 2020, Table 2"
    printed = (
        ReferenceRow(
            "Llama-3-70B", {"kl": 0.214, "jsd": 0.237}, "parallel-explicit", "softmax", 20.0, paper, "rounded"
        ),
        ReferenceRow("original labels", {"kl": 9.288}, source=paper),
    )
    references = (
        ReferenceRow("noise floor", {"kl": 0.01, "jsd": 0.045, "tvd": 0.043, "dcor": 0.988}),
        ReferenceRow("human split-half", {"kl": 0.107, "jsd": 0.09, "tvd": 0.087, "dcor": 0.956}, against=HALF),
        *REFERENCES,
    )
    return Leaderboard(board.metrics, (Board(TASK, RUNS, references, intervals, ranks, printed, stars=STARS),), RUNS)


def test_everything_at_140_columns(full):
    assert printed(full, 140) == FULL_WIDE


def test_everything_at_80_columns(full):
    assert printed(full, 80) == FULL_NARROW


def test_wide(board):
    assert printed(board, 104) == WIDE


def test_eighty_columns(board):
    assert printed(board, 80) == MIDDLE


def test_run_ids_where_there_is_room(board):
    assert RUNS[0].id in printed(board, 130)
    assert RUNS[0].id not in printed(board, 104)


@pytest.mark.parametrize("width", [30, 40, 50, 64, 78])
def test_narrow_terminals_lose_no_figure(board, width):
    text = printed(board, width)
    assert all(len(line) <= width for line in text.splitlines())
    if width >= 50:
        assert all(f"{value:.3f}" in text for one in RUNS for value in one.metrics.values() if value is not None)


def test_colours_follow_the_terminal_and_no_color(board, monkeypatch):
    coloured = printed(board, 104, force_terminal=True, color_system="standard")
    assert "\x1b[1;32m*0.214" in coloured
    assert "\x1b" not in printed(board, 104)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "32m" not in printed(board, 104, force_terminal=True)


def test_names_from_outside_reach_the_terminal_as_text(registry):
    metrics = tuple(each.spec for each in default_measures(registry).values())
    hostile = run("parallel", "norm", (1, 1, 1, 1), backend="x:[red]\x1b]0;title\x07[/red]")
    text = printed(Leaderboard(metrics, (Board(TASK, (hostile,), ()),), (hostile,)), 120)
    assert "x:[red]\\x1b]0;title\\x07[/red]" in text
    assert "\x1b" not in text


def test_failures_low_masses_and_notices_are_said(registry):
    metrics = tuple(each.spec for each in default_measures(registry).values())
    odd = run("parallel", "norm", (1, 1, 1, 1), n_failed=3, record=RunRecord(options_mass=0.031))
    task = StoredTask("d", "t", "all", ("a", "b"), 20, 20, TaskRecord(notice="votes were made up"))
    text = printed(Leaderboard(metrics, (Board(task, (odd,), ()),), (odd,)), 200)
    assert "t · 20 items · 2 labels" in text
    assert "(3 of 20 failed)" in text
    assert "3 of 20 items failed and are left out" in text
    assert "hold 3.1% of the probability" in text
    assert "note: votes were made up" in text
    assert "best model" not in text


def test_an_empty_store_says_what_to_do(board):
    assert "judgeharness eval" in printed(Leaderboard(board.metrics, (), ()), 80)


def test_runs_are_ranked_by_the_metrics_direction(registry, store):
    task = bundled("nli-sample", DataFolders(None, None))
    store.runs.add_task(task)
    runs = [run("s", str(n), (1, value, 1, value), task_digest=task.digest) for n, value in enumerate((0.3, None, 0.1))]
    runs.append(run(None, None, (1, 0.0, 1, 1.0), task_digest=task.digest, backend="baseline:human"))
    metrics = default_measures(registry)
    for sort, expected in (("jsd", ["2", "0", "1", None]), ("dcor", ["0", "2", "1", None])):
        (ranked,) = leaderboard(runs, store.runs, metrics, View(sort=sort)).boards
        assert [each.transform for each in ranked.runs] == expected
        assert [row.name for row in ranked.references] == [
            "noise floor", "human split-half", "shuffled people", "baseline:uniform", "baseline:mean",
            "baseline:explanations",
        ]  # fmt: skip


def test_a_metric_of_a_plugin_is_measured_again_when_it_has_changed(tmp_path):
    """Its author changes it and looks at the leaderboard: what was measured before is not what it says now."""
    import sys

    path = tmp_path / "own_metric.py"
    text = """
import numpy as np
from judgeharness import hookimpl
from judgeharness.plugins.specs import MetricSpec

@hookimpl
def judgeharness_metrics():
    return [MetricSpec(name="own", summary="own", target=f"{__name__}:own", label="Own", direction="lower", unit="none",
                       range=(0, None), level="item", source="here")]

def own(human, model): return np.full(len(human), VALUE)
"""

    def figure(value, command):
        sys.modules.pop("own_metric", None)
        path.write_text(text.replace("VALUE", value) + f"# {value}")
        result = judgeharness("--plugin", path, *command, "--metric", "own", "--format", "json")
        assert result.code == 0, result.err
        return json.loads(result.out)["runs"][0]["metrics"]["own"]

    assert figure("1.0", ("eval", "--task", "nli-sample", "--backend", "baseline:uniform")) == 1
    assert figure("20.0", ("leaderboard",)) == 20
    sys.modules.pop("own_metric", None)
