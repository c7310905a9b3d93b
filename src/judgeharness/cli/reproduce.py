"""`judgeharness reproduce`: measures a published table with models of the user's choice."""

from __future__ import annotations

from typing import Any

import click

from judgeharness.cli.shared.executor_flags import WithExecutors, given_flags
from judgeharness.cli.shared.parameters import pass_workspace
from judgeharness.cli.shared.suites import carry_out, suite_options
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Examples:
  judgeharness reproduce emnlp2024 --backend hf:llama3
  judgeharness reproduce emnlp2024 --backend hf:smollm2 --strategy no-explanation --limit 20
"""


@click.command("reproduce", cls=WithExecutors, epilog=EXAMPLES)
@click.argument("name", metavar="NAME")
@suite_options
@pass_workspace
def command(workspace: Workspace, /, name: str, **given: Any) -> int:
    """Reproduce a published table with models of your choice.

    NAME is the table: emnlp2024. The report shows published and measured results side by side. Answers are cached in
    the store, so an interrupted command resumes.
    """
    from judgeharness.evaluation.suites import shipped_suite

    given["pairs"] += tuple(given_flags())
    return carry_out(workspace, shipped_suite(name), ["reproduce", name], **given)
