"""`judgeharness parity`: checks whether backends that run the same model agree."""

from __future__ import annotations

import json
from typing import Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import (
    data_dir_option,
    limit_option,
    pass_workspace,
    report_format_option,
    split_option,
    strategy_option,
    task_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Example:
  judgeharness parity --task nli-sample --limit 4 --strategy parallel --backend hf:smollm2 --backend llamacpp:smollm2
"""


@click.command("parity", epilog=EXAMPLES)
@task_option
@strategy_option
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="Backend to compare (repeatable; two or more).",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    help="Temperature of the softmax transform.  [default: 20]",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    help="Largest mean Jensen-Shannon distance allowed.  [default: 0.002]",
)
@click.option(
    "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option of a backend or the strategy (repeatable)."
)
@report_format_option
@split_option
@limit_option
@data_dir_option
@pass_workspace
def command(
    workspace: Workspace,
    /,
    task_name: str,
    strategy_name: str,
    backends: tuple[str, ...],
    form: str,
    split: str | None,
    limit: int | None,
    **given: Any,
) -> int:
    """Check that backends agree.

    Sends the same prompts to each backend, and compares prompts, token ids, probabilities, distributions and speed with
    those of the first backend. The models always run; the store is not used.

    The exit code is 1 if a backend fails on an item, if the mean Jensen-Shannon distance between distributions exceeds
    the tolerance, or if it exceeds ten times the tolerance at temperature 1.
    """
    from judgeharness.analysis import parity
    from judgeharness.evaluation.parity import ask_all
    from judgeharness.plugins import options
    from judgeharness.reports import parity as report
    from judgeharness.transforms.softmax import SoftmaxOptions, softmax

    task, names = workspace.task(task_name, split, limit), list(dict.fromkeys(backends))
    sides = ask_all(task, strategy_name, names, options.parse_pairs(given["pairs"]), workspace)
    tempered = {} if given["temperature"] is None else {"temperature": given["temperature"]}
    allowed = parity.DEFAULT_TOLERANCE if given["tolerance"] is None else given["tolerance"]
    found = parity.compare(sides, softmax(SoftmaxOptions.model_validate(tempered)), allowed)
    if form == "json":
        echo(json.dumps(report.document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(report.render(found))
    return int(not found.holds)
