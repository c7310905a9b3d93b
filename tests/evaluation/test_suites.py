"""Suites: read, turned into requests, run, broken off and gone on with, and reported."""

import json
import re

import pytest

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.evaluation.suites import read_suite, shipped_suite, shipped_suites
from judgeharness.store.database import Store
from tests.helpers import judgeharness

SUITE = """
name = "mine"
title = "Two ways on the sample"
about = "With <b>no</b> markup."
metrics = ["rankcs"]
sort = "tvd"
people = [4]

[[evaluations]]
tasks = ["nli-sample"]
backends = ["baseline:human", "baseline:uniform"]
limit = 6

[[evaluations]]
tasks = ["nli-sample"]
strategies = ["no-explanation", "parallel-explicit"]
transforms = ["softmax"]
temperature = 2
limit = 6
options = { batch_tokens = 2048 }
"""


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "suite.toml"
    path.write_text(SUITE)
    return path


def requests(suite, *given, **more):
    return [each.request for each in read_suite(suite).requests(*given, **more)]


def test_requests_are_the_suites_evaluations(suite):
    fixed, asked = requests(suite, ["hf:a", "hf:b"], values={"dtype": "float32"}, arguments=["run", "x"])
    assert (fixed.backends, fixed.strategies, fixed.values) == (("baseline:human", "baseline:uniform"), (), {})
    assert asked.backends == ("hf:a", "hf:b")
    assert asked.strategies == ("no-explanation", "parallel-explicit")
    assert asked.values == {"batch_tokens": "2048", "dtype": "float32"}
    assert (asked.temperature, asked.limit, asked.metrics) == (2.0, 6, ("rankcs",))
    assert asked.arguments == ("run", "x")


def test_a_part_of_a_suite(suite):
    fixed, asked = requests(suite, ["hf:a"], strategies=["no-explanation"], limit=2)
    assert asked.strategies == ("no-explanation",)
    assert (fixed.limit, asked.limit) == (2, 2)
    with pytest.raises(UnknownNameError, match="serial"):
        requests(suite, ["hf:a"], strategies=["serial"])


def test_tasks_of_ones_own_lie_beside_the_suite(suite):
    suite.write_text(SUITE.replace('tasks = ["nli-sample"]', 'tasks = ["sub/task.toml"]', 1))
    fixed, _ = requests(suite, ["hf:a"])
    assert fixed.tasks == (str(suite.parent / "sub" / "task.toml"),)


def test_explanations_lie_beside_the_suite_or_in_the_store(suite):
    plain, shown = requests(suite, ["hf:a"])
    assert (plain.explanations, shown.explanations) == ("human", "human")
    suite.write_text(SUITE + 'explanations = "own.jsonl"\n')
    assert requests(suite, ["hf:a"])[1].explanations == str(suite.parent / "own.jsonl")
    suite.write_text(SUITE + 'explanations = "1a2b3c"\n')
    assert requests(suite, ["hf:a"])[1].explanations == "1a2b3c"


def test_backends_are_asked_for_where_they_are_needed_and_refused_where_not(suite):
    with pytest.raises(InputError, match="which models"):
        requests(suite, [])
    suite.write_text(SUITE[: SUITE.rindex("[[evaluations]]")])
    with pytest.raises(InputError, match="leave --backend out"):
        requests(suite, ["hf:a"])


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ('name = "mine"', 'name = "My suite"', "name"),
        ("limit = 6", "limit = 0", "evaluations.0.limit"),
        ("temperature = 2", "temperature = -1", "evaluations.1.temperature"),
        ("temperature = 2", "temperature = inf", "evaluations.1.temperature"),
        ("strategies =", "strategy =", "strategy"),
        ("batch_tokens = 2048", "batch_tokens = [1]", "options.batch_tokens"),
        ('tasks = ["nli-sample"]', "tasks = []", "evaluations.0.tasks"),
        ("[[evaluations]]", "[evaluations", "not valid TOML"),
    ],
)
def test_faults_name_the_file_and_the_key(suite, before, after, problem):
    suite.write_text(SUITE.replace(before, after, 1))
    done = judgeharness("run", suite, "--backend", "hf:smollm2")
    assert done.code == 2
    assert str(suite) in done.err
    assert problem in done.err


def test_shipped_suites_are_sound(registry):
    assert "emnlp2024" in shipped_suites()
    for name in shipped_suites():
        suite = shipped_suite(name)
        assert suite.name == name
        for request in (each.request for each in suite.requests(["hf:smollm2"])):
            assert set(request.tasks) <= set(registry.tasks.names())
            assert set(request.strategies) <= set(registry.strategies.names())
            assert set(request.transforms) <= set(registry.transforms.names())
            assert set(request.metrics) <= set(registry.metrics.names())
    with pytest.raises(UnknownNameError, match="emnlp2025"):
        shipped_suite("emnlp2025")


def test_a_suite_runs_and_reports_and_is_not_asked_again(suite, tmp_path):
    store, folder = tmp_path / "s.db", tmp_path / "out"
    words = ("run", suite, "--backend", "hf:smollm2", "--store", store, "--report", folder)
    done = judgeharness(*words, "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [run["backend"] for run in found["runs"]] == [
        "baseline:human",
        "baseline:uniform",
        "hf:smollm2",
        "hf:smollm2",
    ]
    assert "4 annotators" in [row["name"] for row in found["references"]]
    report = (folder / "report.md").read_text(encoding="utf-8")
    assert "# Two ways on the sample" in report
    assert r"\<b\>no\</b\>" in report
    assert "| hf:smollm2 | parallel-explicit | nli-sample | 6 | 144 |" in report
    assert f"judgeharness run {suite} --backend hf:smollm2" in report
    for run in found["runs"]:
        assert f"{run['metrics']['tvd']:.3f}" in report
    for name in re.findall(r"\]\((\S+\.png)\)", report):
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
        assert (folder / name).with_suffix(".pdf").read_bytes().startswith(b"%PDF")
    assert len(re.findall(r"\]\((\S+\.png)\)", report)) == 4
    assert r"\begin{tabular}" in (folder / "tables.tex").read_text(encoding="utf-8")
    again = judgeharness(*words, "--format", "json")
    assert json.loads(again.out)["runs"] == found["runs"]
    assert "prompts to do" not in again.err
    with Store.open(store) as opened:
        (run,) = [run for run in opened.runs.all() if run.strategy == "parallel-explicit"]
        assert run.record.prompts_scored == 0
        assert opened.runs.seconds(run.id) is not None, "the time of the first call is still known"


def test_the_changes_between_strategies_are_those_of_compare(suite, tmp_path):
    store, folder = tmp_path / "s.db", tmp_path / "out"
    done = judgeharness(
        "run",
        suite,
        "--backend",
        "hf:smollm2",
        "--store",
        store,
        "--report",
        folder,
        "--format",
        "json",
        "--limit",
        "4",
    )
    ids = {run["strategy"]: run["id"] for run in json.loads(done.out)["runs"] if run["strategy"]}
    compared = json.loads(
        judgeharness(
            "compare", ids["no-explanation"], ids["parallel-explicit"], "--store", store, "--format", "json",
            "--metric", "rankcs",
        ).out
    )  # fmt: skip
    figures = [each["difference"] for each in compared["others"][0]["metrics"].values()]
    line = next(
        line for line in (folder / "report.md").read_text().splitlines()
        if line.startswith("| hf:smollm2 | parallel-explicit | softmax |")
    )  # fmt: skip
    assert [cell.strip(" *") for cell in line.split("|")[4:-1]] == [f"{figure:+.4f}" for figure in figures]


def test_without_matplotlib_there_is_a_report_without_plots(suite, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mpltern", None)
    suite.write_text(SUITE[: SUITE.rindex("[[evaluations]]")])
    done = judgeharness("run", suite, "--store", tmp_path / "s.db", "--report", tmp_path / "out")
    assert done.code == 0
    assert "pip install 'judgeharness[plot]'" in done.err
    assert "## Plots" not in (tmp_path / "out" / "report.md").read_text()


def test_wrong_names_are_found_before_anything_is_written(suite, tmp_path):
    store, folder = tmp_path / "s.db", tmp_path / "out"
    suite.write_text(SUITE.replace('"parallel-explicit"', '"sideways"'))
    done = judgeharness("run", suite, "--backend", "hf:smollm2", "--store", store, "--report", folder)
    assert done.code == 2
    assert "sideways" in done.err
    assert not store.exists()
    assert not folder.exists()
    assert judgeharness("run", tmp_path / "none.toml").code == 2
    (tmp_path / "file").write_text("")
    suite.write_text(SUITE[: SUITE.rindex("[[evaluations]]")])
    assert "is not a folder" in judgeharness("run", suite, "--report", tmp_path / "file" / "x").err


def test_the_paper_is_reproduced_where_no_model_is_needed(data_dir, tmp_path, monkeypatch):
    """Baselines of the first table: what is printed, but for the cells that do not follow from the data."""
    monkeypatch.setenv("JUDGEHARNESS_DATA_DIR", str(data_dir))
    done = judgeharness(
        "reproduce", "emnlp2024", "--backend", "hf:smollm2", "--strategy", "no-explanation", "--limit", "1",
        "--report", tmp_path / "few",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "Printed" not in (tmp_path / "few" / "report.md").read_text(), "one item is not the paper's 341"
    path = tmp_path / "baselines.toml"
    names = ", ".join(
        f'"baseline:{name}"' for name in ("human", "mnli-single", "mnli-distribution", "varierr", "uniform")
    )
    path.write_text(f'name = "b"\ntitle = "t"\n[[evaluations]]\ntasks = ["chaosnli"]\nbackends = [{names}]\n')
    assert judgeharness("run", path, "--report", tmp_path / "all").code == 0
    lines = (tmp_path / "all" / "report.md").read_text().splitlines()
    rows = {
        cells[1].strip(): [cell.strip() for cell in cells[4:8]]
        for cells in (line.split("|") for line in lines)
        if len(cells) == 9
    }
    assert rows["MNLI single label"] == ["9.288 / 9.288", "0.422 / 0.422", "0.435 / 0.435", "0.612 / 0.612"]
    assert rows["MNLI distribution"] == ["1.242 / 1.242", "0.281 / **0.209**", "0.295 / **0.215**", "0.795 / 0.795"]
    assert rows["VariErr distribution"] == ["3.604 / 3.604", "0.282 / 0.282", "0.296 / **0.286**", "0.688 / 0.688"]
    assert rows["uniform"] == ["0.364 / **0.365**", "0.307 / 0.307", "0.350 / 0.350", "0.000 / 0.000"]
    report = "\n".join(lines)
    assert "do not follow from the released labels" in report


@pytest.mark.parametrize(
    ("text", "said"),
    [("z = " + "9" * 5000, "not valid TOML"), ("a" + ".a" * 100_000 + " = 1", "a key has more than 32 parts")],
    ids=["digits", "parts"],
)
def test_what_a_parser_of_toml_does_not_bear_is_refused_at_once(tmp_path, text, said):
    (tmp_path / "s.toml").write_text(text)
    with pytest.raises(InputError, match=said):
        read_suite(tmp_path / "s.toml")


def test_a_suite_has_so_many_evaluations_and_no_more(tmp_path):
    table = '[[evaluations]]\ntasks = ["nli-sample"]\n'
    (tmp_path / "s.toml").write_text('name = "s"\ntitle = "S"\n' + table * 201)
    with pytest.raises(InputError, match="at most 200 items"):
        read_suite(tmp_path / "s.toml")
