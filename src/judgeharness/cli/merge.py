"""`judgeharness merge`: merges the stores of several machines."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from judgeharness.cli.shared.parameters import InputFile, pass_workspace, report_format_option, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

TOLERANCE = 1e-4


@click.command("merge")
@click.argument("sources", nargs=-1, required=True, type=InputFile(), metavar="STORE...")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    default=TOLERANCE,
    show_default=True,
    metavar="X",
    help="Largest difference allowed between numbers of the same answer.",
)
@report_format_option
@store_option
@pass_workspace
def command(workspace: Workspace, sources: tuple[Path, ...], tolerance: float, form: str) -> None:
    """Merge the stores of several machines.

    Adds each STORE to the store that --store names, and creates that one if it is missing. The others are not changed.
    If two stores disagree about the same answer, nothing is merged.

    After an evaluation in shards, merge the stores and repeat the command without --shard to get the leaderboard.
    """
    from dataclasses import asdict

    from judgeharness.domain.errors import InputError
    from judgeharness.domain.files import is_file
    from judgeharness.store.database import new_store
    from judgeharness.store.merge import merge

    target = workspace.store_path
    if any(is_file(path) and is_file(target) and path.samefile(target) for path in sources):
        raise InputError(f"{target}: cannot be merged with itself", "--store names the store that the others go to")
    missing = [path for path in sources if not is_file(path)]
    if missing:
        raise InputError(f"{missing[0]}: no store there")
    with workspace.open_store(create=True) if os.path.lexists(target) else new_store(target) as opened:
        found = merge(opened, sources, tolerance)
    rows = {table: asdict(each) for table, each in found.items()}
    if form == "json":
        echo(json.dumps({"store": str(target), "tables": rows}, indent=2))
        return
    from judgeharness.reports.store import counts
    from judgeharness.reports.text import Console

    Console().print(counts(rows))
