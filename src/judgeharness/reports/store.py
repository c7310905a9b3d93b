"""What happened to the rows of the store's tables."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table


def counts(rows: Mapping[str, Mapping[str, int]]) -> Table:
    """Counts by table and kind; tables where there is nothing to count are left out."""
    kinds = list(next(iter(rows.values()), {}))
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("table")
    for kind in kinds:
        table.add_column(kind, justify="right")
    for name, numbers in rows.items():
        if any(numbers.values()):
            table.add_row(name, *(f"{numbers[kind]:,}" for kind in kinds))
    return table
