"""Printed figures: read, kept with the task, and shown where they are about the same items."""

import io
import json
import re

import pytest
from rich.console import Console

from judgeharness.domain.errors import InputError
from judgeharness.domain.toml import read_toml
from judgeharness.reports.formats import table
from judgeharness.reports.leaderboard import View, leaderboard
from judgeharness.reports.suite.published import pairs
from judgeharness.store.database import Store
from judgeharness.tasks.published import Published
from tests.helpers import bundled, judgeharness

TABLE = """
source = "Someone 2020, Table 2"
split = "all"
items = 24

[[judges]]
name = "a judge"
backends = ["*:judge", "*Judge-7B*"]
rows = [
    { strategy = "parallel", transform = "softmax", temperature = 2.0, figures = { kl = 0.5, jsd = 0.25 } },
    { strategy = "parallel", transform = "norm", figures = { kl = 0.4, jsd = 0.2, dcor = 0.7 }, note = "a misprint" },
]
"""


def test_every_printed_row_of_the_paper(folders):
    """The paper's 25 rows, by the sums of their columns, added up by hand from the page."""
    task = bundled("chaosnli", folders)
    rows = task.published.rows()
    assert task.published.items == len(task.items) == 341
    models = [(judge.name, row) for judge, row in rows if row.strategy]
    assert len(rows) == 25
    assert len(models) == 20
    for name, jsd in (
        ("Mixtral-8x7B", 0.291 + 0.265 + 0.246 + 0.258 + 0.211 + 0.292 + 0.258 + 0.235 + 0.255 + 0.208),
        ("Llama-3-70B", 0.262 + 0.259 + 0.247 + 0.261 + 0.253 + 0.245 + 0.243 + 0.232 + 0.245 + 0.237),
    ):
        assert sum(row.figures["jsd"] for judge, row in models if judge == name) == pytest.approx(jsd)
    llama = [row for judge, row in models if judge == "Llama-3-70B" and row.transform == "softmax"]
    assert [row.figures.get("dcor") for row in llama] == [0.677, None, None, None, 0.802]


def test_the_fine_tuning_rows_obey_their_identity(folders):
    """Cross-entropy minus KL is the mean human entropy, and what is printed as KL is a third of it."""
    for split, entropy in (("dev", 0.7487), ("test", 0.7421)):
        rows = bundled("chaosnli", folders, split).published.rows()
        assert len(rows) == 2 * 24
        for judge, row in rows:
            figures = row.figures
            assert figures["cross-entropy"] - 3 * figures["kl-torch-mean"] == pytest.approx(entropy, abs=0.0027), (
                judge.name
            )
    names = [judge.name for judge, _ in rows]
    assert len(set(names)) == 48
    (row,) = [
        judge
        for judge, _ in rows
        if judge.is_about("finetune:roberta-base on hf:llama3 parallel-explicit norm, seed 42")
    ]
    assert row.name == "RoBERTa on Llama-3-70B parallel-explicit norm"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (TABLE.replace("items = 24", "items = 0"), "items"),
        (TABLE.replace("kl = 0.5", 'kl = "low"'), "judges.0.rows.0.figures.kl"),
        (TABLE.replace("kl = 0.5", "kl = nan"), "finite"),
        (TABLE.replace("note", "remark"), "remark"),
        (TABLE.replace("source", "from"), "source"),
        ("rows = [", "not valid TOML"),
    ],
)
def test_faults_name_the_file_and_the_key(tmp_path, text, problem):
    path = tmp_path / "published.toml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_toml(path, Published, "published results")
    assert str(path) in str(raised.value)
    assert problem in str(raised.value)


def test_patterns_tell_what_a_row_is_about(tmp_path):
    (tmp_path / "p.toml").write_text(TABLE)
    (judge,) = read_toml(tmp_path / "p.toml", Published, "published results").judges
    assert judge.is_about("hf:judge")
    assert judge.is_about("openai:someone/Judge-7B-Instruct")
    assert not judge.is_about("hf:judgement")


@pytest.fixture
def own_task(tmp_path):
    """The sample with published results, as a user would have it."""
    from judgeharness.tasks.shipped import shipped

    folder = tmp_path / "task"
    folder.mkdir()
    for name in ("task.toml", "items.jsonl"):
        (folder / name).write_text((shipped() / "nli-sample" / name).read_text(encoding="utf-8"), encoding="utf-8")
    text = (folder / "task.toml").read_text(encoding="utf-8")
    (folder / "task.toml").write_text('published = ["printed.toml"]\n' + text, encoding="utf-8")
    (folder / "printed.toml").write_text(
        TABLE + '\n[[judges]]\nname = "even"\nbackends = ["baseline:uniform"]\n'
        'rows = [{ figures = { jsd = 0.1, tvd = 0.2 }, note = "rounded" }]\n'
    )
    return folder / "task.toml"


def boards(path, registry, **view):
    from judgeharness.evaluation.components import default_measures

    with Store.open(path, create=False) as store:
        found = leaderboard(store.runs.all(), store.runs, default_measures(registry), View(published=True, **view))
        return found, [pairs(board) for board in found.boards]


def test_printed_rows_stand_beside_runs_of_the_same_items(own_task, tmp_path, registry):
    store = tmp_path / "s.db"
    words = ("eval", "--task", own_task, "--backend", "baseline:uniform", "--store", store)
    assert judgeharness(*words).code == 0
    assert judgeharness(*words, "--limit", "5").code == 0
    shown = judgeharness("leaderboard", "--store", store, "--published").out
    assert len(re.findall("a judge † +parallel", shown)) == 2, "not beside the board of five items"
    assert "a judge parallel norm †: a misprint" in shown
    assert "† as published in Someone 2020, Table 2" in shown
    assert "even †: rounded" in shown
    assert "†" not in judgeharness("leaderboard", "--store", store).out
    found, (whole, part) = boards(store, registry)
    assert [row.name for row in found.boards[0].published] == ["a judge", "a judge", "even"]
    ((pair,), none) = (whole, part)
    assert none == []
    assert (pair.judge.name, pair.run.backend) == ("even", "baseline:uniform")
    assert pair.differs("jsd")
    assert not pair.differs("kl"), "KL is not printed"


def test_filters_are_for_printed_rows_too(own_task, tmp_path):
    store = tmp_path / "s.db"
    command = ("eval", "--task", own_task, "--backend", "hf:smollm2", "--strategy", "no-explanation", "--limit", "24")
    assert judgeharness(*command, "--store", store, "--transform", "norm").code == 0
    assert judgeharness(*command, "--store", store, "--transform", "softmax").code == 0
    words = ("leaderboard", "--store", store, "--published", "--format", "json", "--transform", "norm")
    found = json.loads(judgeharness(*words).out)
    assert [run["transform"] for run in found["runs"]] == ["norm"]
    assert [row["transform"] for row in found["references"] if row["source"]] == ["norm"]


@pytest.mark.parametrize("form", ["csv", "markdown", "latex", "json"])
def test_every_form_marks_printed_rows(own_task, tmp_path, form):
    store = tmp_path / "s.db"
    assert judgeharness("eval", "--task", own_task, "--backend", "baseline:human", "--store", store).code == 0
    out = judgeharness("leaderboard", "--store", store, "--published", "--format", form).out
    assert "Someone 2020, Table 2" in out
    if form == "json":
        printed = [row for row in json.loads(out)["references"] if row["source"]]
        assert [row["metrics"].get("dcor") for row in printed] == [0.7, None, None]
    else:
        mark = {"csv": "", "markdown": " †", "latex": r"$^\dagger$"}[form]
        assert f"a judge{mark}" in out


def test_what_is_said_about_a_task_is_kept_up_to_date(own_task, tmp_path):
    """Stores outlive task files: a new note is shown, though the items are the same."""
    store = tmp_path / "s.db"
    words = ("eval", "--task", own_task, "--backend", "baseline:uniform", "--store", store)
    judgeharness(*words)
    printed = own_task.parent / "printed.toml"
    printed.write_text(printed.read_text().replace("rounded", "truncated"))
    judgeharness(*words)
    assert "even †: truncated" in judgeharness("leaderboard", "--store", store, "--published").out


def test_printed_names_reach_the_terminal_as_text(own_task, tmp_path, registry):
    printed = own_task.parent / "printed.toml"
    printed.write_text(printed.read_text().replace('"a judge"', '"[red]\\u001b]0;title\\u0007"'))
    store = tmp_path / "s.db"
    judgeharness("eval", "--task", own_task, "--backend", "baseline:uniform", "--store", store)
    found, _ = boards(store, registry)
    out = io.StringIO()
    Console(file=out, width=120).print(table.render(found, 120))
    assert "[red]\\x1b]0;title\\x07 †" in out.getvalue()
