"""Options that several commands share."""

from __future__ import annotations

import click

from judgeharness.cli.completion import ComponentName
from judgeharness.store.database import DEFAULT_STORE, STORE_VARIABLE
from judgeharness.tasks.datasets import DATA_DIR_VARIABLE

task_option = click.option(
    "--task", "task_name", required=True, type=ComponentName("tasks"), metavar="NAME|FILE.toml", help="The task."
)
strategy_option = click.option(
    "--strategy", "strategy_name", required=True, type=ComponentName("strategies"), metavar="NAME", help="The strategy."
)
metrics_option = click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=ComponentName("metrics"),
    metavar="NAME",
    help="A metric besides the default ones; repeats.",
)
store_option = click.option(
    "--store", metavar="FILE", help=f"The store; {STORE_VARIABLE}, or ./{DEFAULT_STORE}, unless given."
)
data_dir_option = click.option(
    "--data-dir", metavar="DIR", help=f"Where datasets lie; {DATA_DIR_VARIABLE}, or the user's cache, unless given."
)
limit_option = click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N items only.")
split_option = click.option("--split", metavar="NAME", help="The part of the task; its first unless given.")
explanations_option = click.option(
    "--explanations",
    default="human",
    show_default=True,
    metavar="human|SET|FILE",
    help="What strategies show: the task's own, a set that a model wrote ('judgeharness explain'), or JSON lines.",
)
replaced_option = click.option(
    "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="An option in place of the stored one; repeats."
)
format_option = click.option("--format", "form", default="table", show_default=True, metavar="table|json|...")
