"""The results of ChaosNLI's own evaluation, for the console and as a document."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from judgeharness.analysis.official import Official
from judgeharness.reports.text import figure, plain


def render(found: Mapping[str, Official]) -> RenderableType:
    """Show a row for each file, and how often KL is infinite."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("predictions", overflow="fold")
    for head in ("items", "JSD ↓", "KL ↓", "old acc. ↑", "new acc. ↑"):
        table.add_column(head, justify="right", no_wrap=True)
    for name, each in found.items():
        figures = (each.js_distance, each.kl, each.old_accuracy, each.new_accuracy)
        table.add_row(plain(name), f"{each.items:,}", *map(figure, figures))
    notes = [
        plain(
            f"{name}: KL is infinite on {each.infinite:,} items, where nothing is given to a label that people chose",
            "dim",
        )
        for name, each in found.items()
        if each.infinite
    ]
    return Group(table, *notes)


def document(found: Mapping[str, Official]) -> dict[str, Any]:
    """Return the same as plain data. An infinite KL is null."""
    return {
        "official": [
            {"predictions": name, **asdict(each), "kl": each.kl if math.isfinite(each.kl) else None}
            for name, each in found.items()
        ]
    }
