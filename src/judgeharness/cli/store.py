"""`judgeharness store`: look after the store itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.parameters import NewStore, store_option
from judgeharness.cli.shared.streams import echo

form_option = click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)


@click.group("store")
def command() -> None:
    """Check a store, rescue what is whole of a damaged one, copy one that is in use."""


@command.command("check")
@store_option
@form_option
def check(store: str | None, form: str) -> int:
    """Read all of a store and say what is damaged: exit code 1 where anything is."""
    from judgeharness.store.check import problems
    from judgeharness.store.database import store_path

    path = store_path(store)
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
def rescue(target: Path, store: str | None, form: str) -> int:
    """Copy whatever is whole of a damaged store into a new one: exit code 1 where something was lost.

    Answers are kept row by row; tasks and runs where they are complete. 'judgeharness eval' makes the others again.
    """
    from dataclasses import asdict

    from judgeharness.store.database import store_path
    from judgeharness.store.rescue import rescue

    found = rescue(store_path(store), target)
    rows = {table: asdict(each) for table, each in found.items()}
    _show({"store": str(target), "tables": rows}, rows, form)
    return int(any(each.damaged or each.orphaned for each in found.values()))


@command.command("backup")
@click.option("--to", "target", required=True, type=NewStore(), metavar="COPY.db", help="The file to write.")
@store_option
def backup(target: Path, store: str | None) -> None:
    """Copy a store, also while a run writes to it."""
    from judgeharness.cli.shared.stores import open_store

    with open_store(store) as opened:
        opened.copy(target)
    echo(f"{target}: {target.stat().st_size:,} bytes")


def _show(document: Mapping[str, Any], rows: Mapping[str, Mapping[str, int]], form: str) -> None:
    if form == "json":
        echo(json.dumps(document, indent=2))
        return

    from judgeharness.reports.store import counts
    from judgeharness.reports.text import Console

    Console().print(counts(rows))
