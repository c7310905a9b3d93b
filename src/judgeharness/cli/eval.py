"""`judgeharness eval`: evaluates models as judges."""

from __future__ import annotations

from typing import Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.evaluating import evaluate
from judgeharness.cli.shared.executor_flags import WithExecutors, executor_option, given_flags
from judgeharness.cli.shared.parameters import (
    budget_options,
    data_dir_option,
    explanations_option,
    format_option,
    limit_option,
    metrics_option,
    pass_workspace,
    split_option,
    store_option,
)
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Examples:
  judgeharness eval --task nli-sample --backend hf:smollm2 --strategy parallel-explicit
  judgeharness eval --task chaosnli --backend baseline:uniform --backend baseline:mnli-single
"""


@click.command("eval", cls=WithExecutors, epilog=EXAMPLES)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    type=ComponentName("tasks"),
    metavar="NAME|FILE.toml",
    help="Task, by name or as a TOML file (repeatable).",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="Judge, such as hf:smollm2 or baseline:uniform (repeatable).",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=ComponentName("strategies"),
    metavar="NAME",
    help="Prompt strategy (repeatable). Models need one, baselines do not.",
)
@click.option(
    "--transform",
    "transforms",
    multiple=True,
    type=ComponentName("transforms"),
    metavar="NAME",
    help="Transform from scores to probabilities (repeatable).  [default: norm and softmax, if they apply]",
)
@click.option("--temperature", type=float, metavar="TAU", help="Temperature of the softmax transform.  [default: 20]")
@metrics_option
@click.option(
    "-o",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="Option of a backend, strategy, transform or executor (repeatable).",
)
@executor_option
@click.option("--shard", metavar="I/N", help="Process only part I of N of the items, and create no run.")
@budget_options
@explanations_option
@split_option
@limit_option
@data_dir_option
@store_option
@format_option
@pass_workspace
def command(workspace: Workspace, /, form: str, **given: Any) -> int:
    """Evaluate models as judges and rank them.

    Asks each model about every item, and compares its distributions with those of people. Answers are cached in the
    store, so an interrupted command resumes. With cached answers, another transform, temperature or metric needs no
    model.
    """
    from judgeharness.evaluation.request import Request
    from judgeharness.evaluation.shards import Shard
    from judgeharness.evaluation.versions import program_arguments
    from judgeharness.plugins import options

    pairs = [*given.pop("pairs"), *given_flags()]
    shard = given.pop("shard")
    given = {name: tuple(dict.fromkeys(each)) if isinstance(each, tuple) else each for name, each in given.items()}
    given["shard"] = None if shard is None else Shard.parse(shard)
    request = Request(values=options.parse_pairs(pairs), arguments=program_arguments(), **given)
    return evaluate(workspace, request, form)
