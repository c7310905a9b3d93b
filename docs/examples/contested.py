"""A command: lists the items of a task on which people agree least."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from judgeharness.plugin import CommandSpec, hookimpl

if TYPE_CHECKING:
    from judgeharness.plugin import Workspace


@hookimpl
def judgeharness_commands() -> list[CommandSpec]:
    """Return the commands of this plugin."""
    return [
        CommandSpec(
            name="contested",
            summary="List the items on which people agree least.",
            target=f"{__name__}:command",
        )
    ]


@click.command("contested")
@click.option("--task", required=True, metavar="NAME|FILE.toml", help="The task.")
@click.option("--top", default=5, show_default=True, metavar="N", help="How many items to list.")
@click.pass_obj
def command(workspace: Workspace, task: str, top: int) -> None:
    """List the items of a task on which people agree least."""
    items = workspace.task(task).items
    for item in sorted(items, key=lambda item: max(item.human))[:top]:
        click.echo(f"{item.uid}: {max(item.human):.0%} chose the most frequent label")
