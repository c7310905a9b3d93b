"""`judgeharness parity`: whether backends that run the same model agree."""

from __future__ import annotations

import json
from typing import Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import (
    data_dir_option,
    limit_option,
    pass_workspace,
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
    help="A backend; two or more.",
)
@click.option(
    "--temperature",
    type=click.FloatRange(min=0, min_open=True),
    help="The temperature of the softmax transform.  [default: 20]",
)
@click.option("--tolerance", type=click.FloatRange(min=0), help="Of the mean JSD between distributions; 0.002.")
@click.option(
    "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="An option of a backend or the strategy; repeats."
)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
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
    """Ask two or more backends the same and compare: prompts, token ids, probabilities, distributions, speed.

    The first backend is what the others are compared with. The models are always run; the store is not used. Exit code
    1 where a mean Jensen-Shannon distance between model judgment distributions is above the tolerance, or at
    temperature 1 above ten times the tolerance.
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
