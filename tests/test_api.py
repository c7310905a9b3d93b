"""The Python API, with a real model."""

import json
import subprocess
import sys

import pytest
from rich.console import Console

import judgeharness
from judgeharness.domain.errors import InputError
from tests.helpers import judgeharness as program

EXPORTED = ["Result", "Results", "__version__", "evaluate", "hookimpl"]


@pytest.fixture
def results():
    return judgeharness.evaluate(
        "nli-sample",
        ["llamacpp:smollm2", "baseline:uniform"],
        "no-explanation",
        transform="softmax",
        options={"temperature": 1, "option_orders": "cyclic"},
        limit=12,
        progress=False,
    )


def test_results_are_those_of_the_command(results, tmp_path):
    words = ("eval", "--task", "nli-sample", "--backend", "llamacpp:smollm2", "--backend", "baseline:uniform")
    more = ("--strategy", "no-explanation", "--transform", "softmax", "--temperature", "1", "--limit", "12")
    said = json.loads(program(*words, *more, "-o", "option_orders=cyclic", "--format", "json").out)["runs"]
    assert [each.metrics for each in results] == [run["metrics"] for run in said]
    assert [each.id for each in results] == [run["id"] for run in said]
    assert [results[0].intervals["jsd"].low, results[0].intervals["jsd"].high] == said[0]["intervals"]["jsd"]


def test_a_result_says_everything_of_a_run(results):
    model, uniform = results
    assert len(results) == len(results[:]) == 2
    assert (model.backend, model.strategy, model.transform, model.temperature) == (
        "llamacpp:smollm2", "no-explanation", "softmax", 1.0
    )  # fmt: skip
    assert uniform.strategy is None
    assert model.labels == ("entailment", "neutral", "contradiction")
    assert set(model.predictions) == set(model.human)
    assert all(sum(shares) == pytest.approx(1) for shares in model.predictions.values())
    assert model.failures == {}
    assert set(uniform.predictions.values()) == {(1 / 3, 1 / 3, 1 / 3)}
    assert model.explanations is None


def test_a_notebook_and_rich_and_a_terminal_show_the_leaderboard(results):
    page = results._repr_html_()
    assert page.startswith("<pre")
    assert "llamacpp:smollm2" in page
    console = Console(width=100, color_system=None)
    with console.capture() as captured:
        console.print(results)
    assert "baseline:uniform" in captured.get()
    assert "JSD" in repr(results)


def test_nothing_is_printed_unless_asked(capfd):
    judgeharness.evaluate("nli-sample", "baseline:human", limit=2, progress=False)
    assert capfd.readouterr() == ("", "")
    judgeharness.evaluate("nli-sample", "llamacpp:smollm2", "no-explanation", limit=1)
    said = capfd.readouterr()
    assert said.out == ""
    assert "to do" in said.err


def test_the_same_again_takes_what_is_stored(results, monkeypatch):
    from judgeharness.backends.llamacpp.backend import LlamaCppBackend

    monkeypatch.setattr(LlamaCppBackend, "score", lambda self, groups: pytest.fail("asked again"))
    (again,) = judgeharness.evaluate(
        "nli-sample", "llamacpp:smollm2", "no-explanation", transform="softmax", temperature=3.0, limit=12,
        options={"option_orders": "cyclic"}, progress=False,
    )  # fmt: skip
    assert again.metrics != results[0].metrics


def test_errors_are_typed():
    with pytest.raises(InputError, match="unknown task 'nli-simple'"):
        judgeharness.evaluate("nli-simple", "baseline:human", progress=False)
    with pytest.raises(InputError, match="needs at least one --strategy"):
        judgeharness.evaluate("nli-sample", "llamacpp:smollm2", progress=False)
    with pytest.raises(AttributeError):
        judgeharness.evalute  # noqa: B018


def test_failures_are_no_exception(tmp_path):
    from tests.evaluation.test_generating_runs import PLUGIN

    (tmp_path / "pen_plugin.py").write_text(PLUGIN)
    try:
        (result,) = judgeharness.evaluate(
            "nli-sample", "pen:sound", "verbalized", plugins=str(tmp_path / "pen_plugin.py"), limit=3, progress=False
        )
    finally:
        sys.modules.pop("pen_plugin", None)
    assert result.failures == {"sample-01": "none of the 6 texts could be read"}
    assert len(result.predictions) == 2


def test_what_is_exported_and_what_an_import_costs():
    assert judgeharness.__all__ == EXPORTED
    code = "import sys, judgeharness; print([m for m in ('numpy', 'torch', 'rich', 'pydantic') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
