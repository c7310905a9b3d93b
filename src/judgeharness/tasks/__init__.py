"""Tasks: items with human judgments, and the wording in which they are asked about. Built-in ones are TOML data."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import TaskSpec


@hookimpl
def judgeharness_tasks() -> list[TaskSpec]:
    """The tasks that ship with judgeharness."""
    where = "judgeharness.tasks.bundled"
    return [
        TaskSpec(
            name="nli-sample",
            summary="24 NLI items with explanations, written for this project; votes are illustrative",
            target=f"{where}:nli_sample",
        ),
        TaskSpec(
            name="chaosnli",
            summary="the paper's 341 MNLI items with 100 votes and four explanations each",
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
            summary="ChaosNLI's 1,532 abductive items with 100 votes each, two options",
            target=f"{where}:chaosnli_alphanli",
        ),
        TaskSpec(
            name="varierr",
            summary="VariErr's 500 MNLI items with the labels of four annotators and all explanations",
            target=f"{where}:varierr",
        ),
        TaskSpec(
            name="varierr-round-2",
            summary="VariErr's items with the labels that their annotators stood by in round 2",
            target=f"{where}:varierr_round_2",
        ),
        TaskSpec(
            name="snli",
            summary="SNLI's test items with the labels of five annotators (a download of 95 MB)",
            target=f"{where}:snli",
        ),
    ]
