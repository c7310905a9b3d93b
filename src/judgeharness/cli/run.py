"""`judgeharness run`: a suite of evaluations, and its report."""

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
    """Run the evaluations of a suite file, and write a report: Markdown, LaTeX tables, plots.

    What is in the store already is not asked again: the same call goes on where an interrupted one stopped.
    """
    from judgeharness.evaluation.suites import read_suite

    given["pairs"] += tuple(given_flags())
    return carry_out(workspace, read_suite(file), ["run", str(file)], **given)
