"""`judgeharness run`: runs a suite of evaluations and writes its report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.executor_flags import WithExecutors, given_flags
from judgeharness.cli.shared.parameters import InputFile, pass_workspace
from judgeharness.cli.shared.suites import carry_out, suite_options
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Example:
  judgeharness run nightly.toml --backend hf:smollm2 --report nightly
"""


@click.command("run", cls=WithExecutors, epilog=EXAMPLES)
@click.argument("file", type=InputFile(), metavar="FILE.toml")
@suite_options
@pass_workspace
def command(workspace: Workspace, /, file: Path, **given: Any) -> int:
    """Run a suite of evaluations and write a report.

    The report is a folder with Markdown, LaTeX tables and plots. Answers are cached in the store, so an interrupted
    command resumes.
    """
    from judgeharness.evaluation.suites import read_suite

    given["pairs"] += tuple(given_flags())
    return carry_out(workspace, read_suite(file), ["run", str(file)], **given)
