"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.store.database import DEFAULT_STORE, STORE_VARIABLE
from judgeharness.tasks.datasets import DATA_DIR_VARIABLE

Command = TypeVar("Command", bound=Callable[..., Any])


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


def budget_options(command: Command) -> Command:
    """`--budget-requests` and `--budget-tokens`: of models that are paid by the request."""
    what = "Stop before more {} than this are spent on these runs, those of earlier calls included."
    for name in ("tokens", "requests"):
        option = click.option(f"--budget-{name}", type=click.IntRange(min=1), metavar="N", help=what.format(name))
        command = option(command)
    return command


format_option = click.option("--format", "form", default="table", show_default=True, metavar="table|json|...")
