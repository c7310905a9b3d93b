"""A comparison of backends, for the console and as a document."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.analysis.parity import Parity, Side
from judgeharness.reports.text import plain


def render(parity: Parity) -> RenderableType:
    """Show a row for each backend, how its prompts and tokens compare with the first one's, and the verdict."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("backend", overflow="fold")
    for head in ("prompts/s", "largest Δp", "mean JSD", "largest JSD", "mean JSD τ=1"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_row(plain(parity.first.name), _rate(parity.first), *(Text("-") for _ in range(4)))
    for each in parity.others:
        figures = (each.probability, each.mean_jsd, each.largest_jsd, each.sharp_jsd)
        table.add_row(plain(each.side.name), _rate(each.side), *(Text(_small(figure)) for figure in figures))
    lines = [
        plain(f"{each.side.name}: prompts {each.texts}, tokens {each.tokens}, as {parity.first.name} has them", "dim")
        for each in parity.others
    ]
    style = "bold green" if parity.holds else "bold red"
    return Group(table, *lines, Text(), *(plain(line, style) for line in parity.verdict()))


def document(parity: Parity) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "holds": parity.holds,
        "tolerance": parity.tolerance,
        "verdict": parity.verdict(),
        "first": _side(parity.first),
        "others": [
            {
                **_side(each.side),
                "texts": each.texts,
                "tokens": each.tokens,
                "items": each.items,
                "largest_probability_difference": each.probability,
                "mean_jsd": each.mean_jsd,
                "largest_jsd": each.largest_jsd,
                "mean_jsd_temperature_1": each.sharp_jsd,
                "exchanged_items": list(each.exchanged),
            }
            for each in parity.others
        ],
    }


def _side(side: Side) -> dict[str, Any]:
    return {
        "backend": side.name,
        "prompts": side.prompts,
        "seconds": side.seconds,
        "failures": dict(side.failures),
    }


def _rate(side: Side) -> Text:
    return Text(f"{side.prompts / side.seconds:.1f}" if side.seconds else "-")


def _small(value: float | None) -> str:
    return "-" if value is None else f"{value:.2g}"
