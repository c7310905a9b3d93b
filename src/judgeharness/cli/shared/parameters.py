"""Options that several commands share."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.evaluation.workspace import Workspace
from judgeharness.store.database import DEFAULT_STORE, STORE_VARIABLE
from judgeharness.tasks.datasets import DATA_DIR_VARIABLE

pass_workspace = click.make_pass_decorator(Workspace, ensure=True)
"""Hands the workspace of the call to a command, as its first argument."""


class InputFile(click.Path):
    """The name of a file to read. Whether it is one, whoever reads it finds out."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """The path."""
        return Path(value)


class OutputFile(InputFile):
    """The name of a file to write, refused before anything is done if none can be written."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """The path. Raises InputError."""
        from judgeharness.domain.files import require_place

        require_place(Path(value))
        return Path(value)


class NewStore(OutputFile):
    """The name of a store to make, which nothing may have yet."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """The path. Raises InputError."""
        from judgeharness.domain.errors import InputError
        from judgeharness.store.database import require_name

        path = super().convert(value, parameter, context)
        require_name(path)
        if os.path.lexists(path):
            raise InputError(f"{path}: is there already", "name a new file")
        return path


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


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Put an option's value into the workspace, under the option's name."""
    if value is not None and parameter.name is not None:
        setattr(context.ensure_object(Workspace), parameter.name, value)


store_option = click.option(
    "--store",
    expose_value=False,
    callback=_keep,
    metavar="FILE",
    help=f"The store.  [default: {STORE_VARIABLE}, or ./{DEFAULT_STORE}]",
)
data_dir_option = click.option(
    "--data-dir",
    expose_value=False,
    callback=_keep,
    metavar="DIR",
    help=f"The folder with the datasets.  [default: {DATA_DIR_VARIABLE}, or the user's cache]",
)
task_file_option = click.option(
    "--task", "task_file", metavar="FILE.toml", help="The task's file, for a task of your own."
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


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--budget-requests` and `--budget-tokens`, which the command gets as one `budget`."""

    @functools.wraps(command)
    def with_budget(*arguments: Any, budget_requests: int | None, budget_tokens: int | None, **more: Any) -> Any:
        from judgeharness.backends.contract import Budget

        return command(*arguments, budget=Budget(budget_requests, budget_tokens), **more)

    decorated: Callable[..., Any] = with_budget
    what = "Stop before more {} than this are spent on these runs, those of earlier calls included."
    for name in ("tokens", "requests"):
        option = click.option(f"--budget-{name}", type=click.IntRange(min=1), metavar="N", help=what.format(name))
        decorated = option(decorated)
    return decorated


format_option = click.option("--format", "form", default="table", show_default=True, metavar="table|json|...")
