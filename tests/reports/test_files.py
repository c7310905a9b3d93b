"""Leaderboards for other programs and papers: CSV, Markdown, LaTeX."""

import csv
import io
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judgeharness.analysis.intervals import Interval
from judgeharness.evaluation.components import default_measures
from judgeharness.reports.formats import csv as csv_report
from judgeharness.reports.formats import latex, markdown
from judgeharness.reports.leaderboard import Board, Leaderboard
from tests.helpers import judgeharness
from tests.reports.formats.test_table import REFERENCES, RUNS, STARS, TASK, run


@pytest.fixture
def board(registry):
    metrics = tuple(each.spec for each in default_measures(registry).values())
    intervals = {each.id: {"kl": Interval(0.2, 0.2426), "jsd": None} for each in RUNS}
    ranks = {each.id: place for place, each in enumerate(RUNS, start=1)}
    return Leaderboard(metrics, (Board(TASK, RUNS, REFERENCES, intervals, ranks, stars=STARS),), RUNS)


def written(report, board):
    out = io.StringIO()
    report.write(board, out)
    return out.getvalue()


def test_csv_is_read_back_by_any_reader(board):
    rows = list(csv.DictReader(io.StringIO(written(csv_report, board))))
    assert [row["backend"] for row in rows] == ["hf:smollm2"] * 3 + ["baseline:uniform", "baseline:mnli-distribution"]
    assert (rows[0]["kl"], rows[0]["kl_low"], rows[0]["kl_high"]) == ("0.214", "0.2", "0.2426")
    assert (rows[0]["rank"], rows[0]["temperature"], rows[0]["run"]) == ("1", "20.0", RUNS[0].id)
    assert (rows[2]["dcor"], rows[3]["run"], rows[3]["rank"]) == ("", "", "")


def test_no_name_becomes_a_formula(board):
    odd = run("=1+1", "@cmd", (1, 1, 1, 1), backend='-2+3,"x"\n')
    text = written(csv_report, Leaderboard(board.metrics, (Board(TASK, (odd,), ()),), (odd,)))
    (row,) = csv.DictReader(io.StringIO(text))
    assert (row["backend"][0], row["strategy"], row["transform"]) == ("'", "'=1+1", "'@cmd")


def test_markdown_is_a_table_with_the_best_in_bold(board):
    lines = written(markdown, board).splitlines()
    assert lines[0] == "### chaosnli (train), 20 items"
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines[2:] if line]
    assert {len(row) for row in cells} == {8}
    assert cells[2] == [
        "1", "hf:smollm2", "parallel-explicit", "softmax τ=20", "**0.214 [0.200, 0.243]**", "**0.237**", "**0.254**",
        "0.802",
    ]  # fmt: skip
    assert cells[5][:2] == ["", "baseline:uniform"]


def test_latex_is_a_tabular(board):
    text = written(latex, board)
    assert text.count(r"\begin{tabular}{rlllrrrr}") == text.count(r"\end{tabular}") == 1
    assert r"softmax $\tau$=20 & \textbf{0.214} {\scriptsize $[.200\;.243]$} & \textbf{0.237}" in text
    assert text.count(r"\midrule") == 2
    assert all(line.count(" & ") == 7 for line in text.splitlines() if line.endswith(r"\\"))


@given(st.text())
def test_nothing_from_outside_is_markup(text):
    escaped = latex.escaped(text)
    rest = re.sub(
        r"\\(textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar)\{\}|\\[{}$&#%_]", "", escaped
    )
    assert not re.search(r"[\\{}&#%_~^<>|]", rest.replace(r"$\tau$", ""))
    plain = re.sub(r"\\.", "", markdown.escaped(text))
    assert not re.search(r"[`*_{}\[\]<>#|\n]", plain)


def test_every_form_is_written_by_the_program(tmp_path):
    store = tmp_path / "s.db"
    for name in ("uniform", "human", "explanations"):
        judgeharness("eval", "--task", "nli-sample", "--backend", f"baseline:{name}", "--store", store)
    for form, start in (("csv", "task,split,rank"), ("markdown", "### nli-sample"), ("latex", "% nli-sample")):
        done = judgeharness("leaderboard", "--store", store, "--format", form)
        assert done.code == 0, done.err
        assert done.out.startswith(start)
    runs = json.loads(judgeharness("leaderboard", "--store", store, "--format", "json").out)["runs"]
    assert {each["backend"]: each["rank"] for each in runs}["baseline:human"] is None
    known = [(each["metrics"][name], ends) for each in runs for name, ends in each["intervals"].items() if ends]
    assert len(known) == 3 * 3
    assert all(low <= value <= high for value, (low, high) in known)
    assert "judges share a rank" not in judgeharness("leaderboard", "--store", store).out
