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
"""Decorator that passes the workspace of the call to a command, as its first argument."""


class InputFile(click.Path):
    """Path of a file to read. The code that reads it checks whether it exists."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path."""
        return Path(value)


class OutputFile(InputFile):
    """Path of a file to write, checked before any work starts."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path. Raises InputError if the file cannot be written."""
        from judgeharness.domain.files import require_place

        require_place(Path(value))
        return Path(value)


class NewStore(OutputFile):
    """Path of a store to create, which must not exist yet."""

    def convert(self, value: Any, parameter: click.Parameter | None, context: click.Context | None) -> Any:
        """Return the path. Raises InputError if it exists or cannot be a store."""
        from judgeharness.domain.errors import InputError
        from judgeharness.store.opening import require_name

        path = super().convert(value, parameter, context)
        require_name(path)
        if os.path.lexists(path):
            raise InputError(f"{path}: already exists", "name a new file")
        return path


def _task_option(**more: Any) -> Callable[[Any], Any]:
    about = "Task, by name or as a TOML file."
    names = ComponentName("tasks")
    return click.option("--task", "task_name", type=names, metavar="NAME|FILE.toml", help=about, **more)


task_option = _task_option(required=True)
chaosnli_option = _task_option(default="chaosnli", show_default=True)
strategy_option = click.option(
    "--strategy",
    "strategy_name",
    required=True,
    type=ComponentName("strategies"),
    metavar="NAME",
    help="Prompt strategy.",
)
metrics_option = click.option(
    "--metric",
    "metrics",
    multiple=True,
    type=ComponentName("metrics"),
    metavar="NAME",
    help="Metric to compute besides the default ones (repeatable).",
)


def _keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    """Set the attribute of the workspace that has the option's name."""
    if value is not None and parameter.name is not None:
        setattr(context.ensure_object(Workspace), parameter.name, value)


store_option = click.option(
    "--store",
    expose_value=False,
    callback=_keep,
    metavar="FILE",
    help=f"File of the store.  [default: ${STORE_VARIABLE}, or ./{DEFAULT_STORE}]",
)
data_dir_option = click.option(
    "--data-dir",
    expose_value=False,
    callback=_keep,
    metavar="DIR",
    help=f"Folder with the datasets.  [default: ${DATA_DIR_VARIABLE}, or the user's cache]",
)
task_file_option = click.option(
    "--task", "task_file", metavar="FILE.toml", help="TOML file of the task, if the task is your own."
)
limit_option = click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Use only the first N items.")
split_option = click.option("--split", metavar="NAME", help="Split of the task.  [default: its first split]")
explanations_option = click.option(
    "--explanations",
    default="human",
    show_default=True,
    metavar="human|SET|FILE",
    help="Explanations to show in prompts: 'human' for those of the task, the id of a set that a model generated "
    "('judgeharness explain'), or a JSON-lines file.",
)
replaced_option = click.option(
    "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option that replaces the stored one (repeatable)."
)


def budget_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add `--budget-requests` and `--budget-tokens`, and pass them to the command as one `budget`."""

    @functools.wraps(command)
    def with_budget(*arguments: Any, budget_requests: int | None, budget_tokens: int | None, **more: Any) -> Any:
        from judgeharness.backends.contract import Budget

        return command(*arguments, budget=Budget(budget_requests, budget_tokens), **more)

    decorated: Callable[..., Any] = with_budget
    what = "Stop before more than N {} are used, earlier calls for the same work included."
    for name in ("tokens", "requests"):
        option = click.option(f"--budget-{name}", type=click.IntRange(min=1), metavar="N", help=what.format(name))
        decorated = option(decorated)
    return decorated


def _format_option(metavar: str, summary: str) -> Callable[[Any], Any]:
    return click.option("--format", "form", default="table", show_default=True, metavar=metavar, help=summary)


format_option = _format_option("table|json|...", "Output format ('judgeharness list reporters' shows all).")
listing_format_option = _format_option("table|json", "Output format.")
finetune_format_option = _format_option("table|json|...", "Output format: table, json, markdown or latex.")
report_format_option = click.option(
    "--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True, help="Output format."
)
