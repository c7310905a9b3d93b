"""Tasks: items with human judgments, and the wording of the question. Built-in tasks are TOML files."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import TaskSpec


@hookimpl
def judgeharness_tasks() -> list[TaskSpec]:
    """Return the tasks that ship with judgeharness."""
    where = "judgeharness.tasks.bundled"
    return [
        TaskSpec(
            name="nli-sample",
            summary="24 NLI items with explanations, written for this project; the votes are made up",
            target=f"{where}:nli_sample",
        ),
        TaskSpec(
            name="chaosnli",
            summary="the 341 MNLI items of the paper, with 100 votes and four explanations each",
            target=f"{where}:chaosnli",
        ),
        TaskSpec(
            name="chaosnli-mnli",
            summary="ChaosNLI's 1,599 MNLI items with 100 votes each",
            target=f"{where}:chaosnli_mnli",
        ),
        TaskSpec(
            name="chaosnli-snli",
            summary="ChaosNLI's 1,514 SNLI items with 100 votes each",
            target=f"{where}:chaosnli_snli",
        ),
        TaskSpec(
            name="chaosnli-alphanli",
            summary="ChaosNLI's 1,532 abductive items with two options and 100 votes each",
            target=f"{where}:chaosnli_alphanli",
        ),
        TaskSpec(
            name="varierr",
            summary="VariErr's 500 MNLI items with the labels of four annotators and all explanations",
            target=f"{where}:varierr",
        ),
        TaskSpec(
            name="varierr-round-2",
            summary="VariErr's items with the labels that annotators stood by in round 2",
            target=f"{where}:varierr_round_2",
        ),
        TaskSpec(
            name="snli",
            summary="SNLI's test items with the labels of five annotators (95 MB download)",
            target=f"{where}:snli",
        ),
    ]
