"""A run's metrics by slice, for the console and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from judgeharness.analysis.slices import Slice
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.text import Console, figure, margin, plain
from judgeharness.store.runs import Run


def render(run: Run, by: str, slices: Sequence[Slice], metrics: Sequence[MetricSpec], width: int) -> RenderableType:
    """Show a row for each slice, with intervals if a terminal that is `width` columns wide has room for them."""
    names = " ".join(part for part in (run.backend, run.way, run.transform) if part)
    table = _table(by, slices, metrics, with_intervals=True)
    unbounded = Console(width=10_000)
    if Measurement.get(unbounded, unbounded.options, table).maximum > width:
        table = _table(by, slices, metrics, with_intervals=False)
    notes = plain("± half of the 95 % interval, or [low high]; with few items distance correlation is too high", "dim")
    return Group(Text(), plain(f"{names} [{run.id}]", "bold"), table, notes)


def _table(by: str, slices: Sequence[Slice], metrics: Sequence[MetricSpec], with_intervals: bool) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(plain(by), overflow="fold")
    table.add_column("items", justify="right")
    for spec in metrics:
        table.add_column(plain(spec.label), justify="right", no_wrap=True)
    for each in slices:
        table.add_row(plain(each.name), f"{each.items:,}", *(_cell(each, spec, with_intervals) for spec in metrics))
    return table


def _cell(one: Slice, spec: MetricSpec, with_interval: bool) -> Text:
    text = Text(figure(one.metrics.get(spec.name)))
    if with_interval and (behind := margin(one.metrics.get(spec.name), one.intervals.get(spec.name))):
        text.append(f" {behind}", "dim")
    return text


def document(run: Run, by: str, slices: Sequence[Slice]) -> dict[str, Any]:
    """Return the same as plain data."""
    return {"run": run.id, "by": by, "slices": [asdict(each) for each in slices]}
