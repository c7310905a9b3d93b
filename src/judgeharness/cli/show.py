"""`judgeharness show`: shows a run with its record, or one item of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from judgeharness.cli.shared.parameters import pass_workspace, report_format_option, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from rich.console import RenderableType


@click.command("show")
@click.argument("run_id", metavar="RUN")
@click.argument("uid", required=False)
@report_format_option
@store_option
@pass_workspace
def command(workspace: Workspace, run_id: str, uid: str | None, form: str) -> None:
    """Show a run, or one item of it.

    RUN is the id of a run, or the beginning of it. Shows how the run was made and its results. With UID, shows the item
    of that id.
    """
    from judgeharness.reports import run as rendering

    with workspace.open_store() as opened:
        run = opened.runs.find(run_id)
        document = rendering.run_document(opened, run) if uid is None else rendering.item_document(opened, run, uid)
    if form == "json":
        echo(json.dumps(document, indent=2))
        return
    _print(rendering.run(document) if uid is None else rendering.item(document))


def _print(rendered: RenderableType) -> None:
    from judgeharness.reports.text import Console

    Console().print(rendered)
