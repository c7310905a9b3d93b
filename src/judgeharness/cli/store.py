"""`judgeharness store`: look after the store itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.parameters import NewStore, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

form_option = click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)


@click.group("store")
def command() -> None:
    """Check a store, rescue what is whole of a damaged one, copy one that is in use."""


@command.command("check")
@store_option
@form_option
@pass_workspace
def check(workspace: Workspace, form: str) -> int:
    """Read all of a store and say what is damaged: exit code 1 where anything is."""
    from judgeharness.store.check import problems

    path = workspace.store_path
    found = problems(path)
    if form == "json":
        echo(json.dumps({"store": str(path), "problems": found}, indent=2))
        return int(bool(found))
    for line in found:
        echo(line)
    echo(f"{path}: {len(found)} problems" if found else f"{path}: nothing is wrong")
    if found:
        echo("'judgeharness store rescue --to NEW.db' takes what is whole into a new store", err=True)
    return int(bool(found))


@command.command("rescue")
@click.option("--to", "target", required=True, type=NewStore(), metavar="NEW.db", help="The store to make.")
@store_option
@form_option
@pass_workspace
def rescue(workspace: Workspace, target: Path, form: str) -> int:
    """Copy whatever is whole of a damaged store into a new one: exit code 1 where something was lost.

    Answers are kept row by row; tasks and runs where they are complete. 'judgeharness eval' makes the others again.
    """
    from dataclasses import asdict

    from judgeharness.store.rescue import rescue

    found = rescue(workspace.store_path, target)
    rows = {table: asdict(each) for table, each in found.items()}
    _show({"store": str(target), "tables": rows}, rows, form)
    return int(any(each.damaged or each.orphaned for each in found.values()))


@command.command("backup")
@click.option("--to", "target", required=True, type=NewStore(), metavar="COPY.db", help="The file to write.")
@store_option
@pass_workspace
def backup(workspace: Workspace, target: Path) -> None:
    """Copy a store, also while a run writes to it."""
    with workspace.open_store() as opened:
        opened.copy(target)
    echo(f"{target}: {target.stat().st_size:,} bytes")


def _show(document: Mapping[str, Any], rows: Mapping[str, Mapping[str, int]], form: str) -> None:
    if form == "json":
        echo(json.dumps(document, indent=2))
        return

    from judgeharness.reports.store import counts
    from judgeharness.reports.text import Console

    Console().print(counts(rows))
