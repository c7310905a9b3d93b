"""`judgeharness plugins`: shows where components come from, and what could not be loaded."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import click

from judgeharness.cli.shared.parameters import listing_format_option, pass_workspace
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.version import __version__
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.loading import Plugin


@click.command("plugins")
@listing_format_option
@pass_workspace
def command(workspace: Workspace, form: str) -> None:
    """Show plugins and what they provide.

    Shows the origin and version of each plugin, its components, and the error if it could not be loaded.
    """
    from judgeharness.domain.errors import UnknownNameError

    rows = [_row(plugin) for plugin in workspace.registry.plugins]
    if form == "json":
        echo(json.dumps({"plugins": rows}, indent=2))
    elif form == "table":
        _print(rows)
    else:
        raise UnknownNameError("format", form, ("table", "json"))


def _row(plugin: Plugin) -> dict[str, Any]:
    provides: dict[str, list[str]] = {}
    for spec in plugin.specs:
        provides.setdefault(spec.kind, []).append(spec.name)
    built_in = plugin.origin == "built-in"
    return {
        "name": plugin.name,
        "origin": plugin.origin,
        "distribution": "judgeharness" if built_in else plugin.distribution,
        "version": __version__ if built_in else plugin.version,
        "state": plugin.state,
        "provides": provides,
        "error": plugin.error,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from judgeharness.reports.text import Console, plain

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("plugin", overflow="fold")
    table.add_column("from", overflow="fold")
    table.add_column("provides, or what went wrong", overflow="fold")
    for row in rows:
        source = f"{row['distribution']} {row['version']}" if row["distribution"] else row["origin"]
        table.add_row(plain(row["name"]), plain(source), _outcome(row, plain))
    Console().print(table)
    states = Counter(row["state"] for row in rows)
    Console().print(", ".join(f"{count} {state}" for state, count in states.items()), style="dim")


def _outcome(row: dict[str, Any], plain: Any) -> Any:
    if row["state"] == "failed":
        return plain(f"failed: {row['error']}", "bold red")
    if row["state"] == "off":
        return plain("switched off", "dim")
    return plain("\n".join(f"{kind}: {', '.join(names)}" for kind, names in row["provides"].items()))
