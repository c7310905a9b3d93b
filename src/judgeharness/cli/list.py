"""`judgeharness list`: lists components of a kind, models or explanations."""

from __future__ import annotations

import json
from typing import Any

import click

from judgeharness.cli.shared.parameters import listing_format_option, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.registry import Catalog, Registry
from judgeharness.plugins.specs import described

KINDS = (
    "tasks",
    "backends",
    "strategies",
    "transforms",
    "metrics",
    "reporters",
    "sections",
    "executors",
    "models",
    "commands",
    "explanations",
)


@click.command("list")
@click.argument("kind", type=click.Choice(KINDS))
@store_option
@listing_format_option
@pass_workspace
def command(workspace: Workspace, kind: str, form: str) -> None:
    """List components of a kind, with their summaries.

    'models' lists the short names of models, and 'explanations' the sets in the store.
    """
    from judgeharness.domain.errors import UnknownNameError

    registry = workspace.registry
    if kind == "models":
        rows = _models(registry)
    elif kind == "explanations":
        rows = _explanations(workspace)
    else:
        rows = _components(getattr(registry, kind))
    if form == "json":
        echo(json.dumps({kind: rows}, indent=2))
    elif form == "table":
        _print(rows)
    else:
        raise UnknownNameError("format", form, ("table", "json"))


def _components(catalog: Catalog[Any]) -> list[dict[str, Any]]:
    return [{**described(spec), "plugin": plugin.distribution or plugin.origin} for spec, plugin in catalog]


def _models(registry: Registry) -> list[dict[str, Any]]:
    return [
        {"name": f"{spec.name}:{alias.name}", "summary": alias.resolves_to, "size": alias.size, "note": alias.note}
        for spec, _ in registry.backends
        for alias in spec.aliases
    ]


def _explanations(workspace: Workspace) -> list[dict[str, Any]]:
    with workspace.open_store() as opened:
        return [
            {"name": each.id, "summary": each.name, "note": each.created, "count": each.count, "origin": each.origin}
            for each in opened.explanations.all()
        ]


def _print(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.table import Table

    from judgeharness.reports.text import Console, plain

    columns = [
        name
        for name in ("name", "summary", "direction", "unit", "size", "count", "note")
        if any(name in row for row in rows)
    ]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column == "name", overflow="fold")
    for row in rows:
        table.add_row(*(plain(str(row.get(column) or "")) for column in columns))
    Console().print(table)
