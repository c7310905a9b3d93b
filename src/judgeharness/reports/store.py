"""Counts of rows in the store's tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table


def counts(rows: Mapping[str, Mapping[str, int]]) -> Table:
    """Show counts by table and kind. Tables without rows are left out."""
    kinds = list(next(iter(rows.values()), {}))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("table")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for name, numbers in rows.items():
        if any(numbers.values()):
            table.add_row(name, *(f"{numbers[kind]:,}" for kind in kinds))
    return table
