"""`judgeharness store`: checks, rescues and backs up stores."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.parameters import NewStore, pass_workspace, report_format_option, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace


@click.group("store")
def command() -> None:
    """Check, rescue or back up a store."""


@command.command("check")
@store_option
@report_format_option
@pass_workspace
def check(workspace: Workspace, form: str) -> int:
    """Check a store for damage.

    Reads the whole store. The exit code is 1 if anything is damaged.
    """
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
@click.option("--to", "target", required=True, type=NewStore(), metavar="NEW.db", help="Store to create.")
@store_option
@report_format_option
@pass_workspace
def rescue(workspace: Workspace, target: Path, form: str) -> int:
    """Copy what is intact in a damaged store to a new store.

    Keeps every intact answer, and those tasks and runs that are complete. 'judgeharness eval' rebuilds the others. The
    exit code is 1 if something was lost.
    """
    from dataclasses import asdict

    from judgeharness.store.rescue import rescue

    found = rescue(workspace.store_path, target)
    rows = {table: asdict(each) for table, each in found.items()}
    _show({"store": str(target), "tables": rows}, rows, form)
    return int(any(each.damaged or each.orphaned for each in found.values()))


@command.command("backup")
@click.option("--to", "target", required=True, type=NewStore(), metavar="COPY.db", help="File to write.")
@store_option
@pass_workspace
def backup(workspace: Workspace, target: Path) -> None:
    """Copy a store, even while a run writes to it."""
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
