"""`judgeharness eval`: evaluate models as judges."""

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
    help="A task; repeats.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="A judge; repeats.",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=ComponentName("strategies"),
    metavar="NAME",
    help="How prompts are made; repeats.",
)
@click.option(
    "--transform",
    "transforms",
    multiple=True,
    type=ComponentName("transforms"),
    metavar="NAME",
    help="Scores to probabilities; repeats. norm and softmax unless given.",
)
@click.option("--temperature", type=float, metavar="TAU", help="Of the softmax transform; 20, as in the paper.")
@metrics_option
@click.option(
    "-o",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of a backend, strategy, transform or executor; repeats.",
)
@executor_option
@click.option("--shard", metavar="I/N", help="Ask the I-th of N parts of the items only, and make no run.")
@budget_options
@explanations_option
@split_option
@limit_option
@data_dir_option
@store_option
@format_option
@pass_workspace
def command(workspace: Workspace, /, form: str, **given: Any) -> int:
    """Ask models for their judgments, compare them with the human ones, and rank them.

    Everything is kept in the store: the same call again takes what is there, and an interrupted one goes on where it
    stopped. Another transform or metric needs no model at all.
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
