"""The example plugins of the documentation do what their page says."""

import json
from pathlib import Path

import pytest

from judgeharness.testing import (
    BackendConformance,
    MetricConformance,
    StrategyConformance,
    TaskConformance,
    TransformConformance,
)
from tests.helpers import judgeharness

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
SAMPLE = ("--task", "nli-sample")


def example(name):
    return str(EXAMPLES / f"{name}.py")


class TestEntropyGap(MetricConformance):
    name = "entropy-gap"
    plugins = (example("entropy_gap"),)


class TestLetterJudge(BackendConformance):
    name = "letter:B"
    plugins = (example("letter_judge"),)


class TestPolitenessTask(TaskConformance):
    name = "politeness"
    plugins = (example("politeness_task"),)


class TestThereAndBack(StrategyConformance):
    name = "there-and-back"
    plugins = (example("there_and_back"),)


class TestGeneratedLetter(StrategyConformance):
    name = "generated-letter"
    plugins = (example("generated_letter"),)


class TestTopChoice(TransformConformance):
    name = "top-choice"
    plugins = (example("top_choice"),)


def metrics(*words):
    done = judgeharness("eval", *SAMPLE, *words, "--transform", "softmax", "--format", "json")
    assert done.code == 0, done.err
    return [run["metrics"] for run in json.loads(done.out)["runs"]]


def test_every_order_of_the_options_makes_a_preferred_letter_uniform_and_two_do_not():
    plugins = ("--plugin", example("letter_judge"), "--plugin", example("there_and_back"))
    (uniform,) = metrics("--backend", "baseline:uniform")
    (every,) = metrics(*plugins, "--backend", "letter:A", "--strategy", "no-explanation")
    (two,) = metrics(*plugins, "--backend", "letter:A", "--strategy", "there-and-back")
    assert every == pytest.approx(uniform)
    assert two["kl"] > uniform["kl"] + 0.001


def test_a_name_that_is_no_letter_is_refused():
    words = ("--plugin", example("letter_judge"), "--strategy", "no-explanation", "--backend", "letter:AB")
    done = judgeharness("eval", *SAMPLE, *words)
    assert done.code == 2
    assert done.err == "error: letter:AB: not a letter\n  use letter:A, letter:B, ...\n"


def test_the_first_judge_of_each_leaderboard_is_written():
    judges = ("--backend", "baseline:uniform", "--backend", "baseline:explanations")
    done = judgeharness("eval", *SAMPLE, *judges, "--plugin", example("winners"), "--format", "winners")
    assert done.code == 0, done.err
    assert done.out == "nli-sample: baseline:explanations, JSD 0.143\n"


def test_the_hardest_items_are_on_the_page(tmp_path):
    metrics("--backend", "baseline:uniform")
    done = judgeharness("report", "--plugin", example("hardest_items"), "--out", tmp_path / "page.html")
    assert done.code == 0, done.err
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("mean total variation distance") == 5


def test_a_pause_changes_no_value(tmp_path):
    judge = ("--plugin", example("letter_judge"), "--backend", "letter:A", "--strategy", "no-explanation")
    paced = ("--plugin", example("paced"), "--executor", "paced", "--pause", "0.001", "--store", tmp_path / "paced.db")
    assert metrics(*judge, *paced) == metrics(*judge)


def test_the_most_contested_items_come_first():
    done = judgeharness("--plugin", example("contested"), "contested", *SAMPLE, "--top", "3")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "sample-06: 50% chose the most frequent label"
    assert len(done.out.splitlines()) == 3


def test_a_backend_that_fails_ends_with_the_error_on_the_page(tmp_path):
    source = Path(example("letter_judge")).read_text(encoding="utf-8").replace('"letter"', '"mine"')
    path = tmp_path / "mine.py"
    path.write_text(source.replace("yield OptionScores", "0 / 0; yield OptionScores"), encoding="utf-8")
    words = ("--plugin", path, "--backend", "mine:A", "--strategy", "no-explanation")
    done = judgeharness("eval", *SAMPLE, *words)
    assert done.code == 1
    page = (EXAMPLES.parent / "plugins.md").read_text(encoding="utf-8")
    said = done.err[done.err.index("error: ") :].replace(str(path), "/home/me/mine.py")
    assert f"```text\n{said}```" in page
