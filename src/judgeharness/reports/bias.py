"""A judge's biases, for the console and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.analysis.bias import Bias, Preference
from judgeharness.domain.nouns import LETTERS
from judgeharness.reports.text import figure, margin, plain
from judgeharness.store.runs import Run

BAR = 40


def render(run: Run, bias: Bias) -> RenderableType:
    """Show letters, explanation positions and spreads, with bars."""
    names = " ".join(part for part in (run.backend, run.way, run.transform) if part)
    even = 1 / len(bias.letters)
    parts: list[RenderableType] = [plain(f"{names} [{run.id}], {bias.items:,} items", "bold"), Text()]
    parts.append(_table("letter", list(LETTERS), bias.letters, even))
    parts.append(plain(f"an even judge gives each letter {figure(even)}", "dim"))
    if bias.places:
        mean = sum(each.value for each in bias.places) / len(bias.places)
        numbers = [str(place) for place in range(1, len(bias.places) + 1)]
        parts += [Text(), _table("explanation at place", numbers, bias.places, mean)]
        parts.append(plain("the probability of the label of the explanation that stands there", "dim"))
    parts += [Text(), plain(f"order of the options moves a label's probability by {_spread(bias.option_spread)}")]
    if bias.explanation_spread is not None:
        parts.append(plain(f"choice and order of explanations move it by {_spread(bias.explanation_spread)}"))
    parts.append(plain("standard deviations, mean over items and labels; ± half of the 95 % interval", "dim"))
    return Group(*parts)


def _table(head: str, names: list[str], preferences: tuple[Preference, ...], even: float) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(head)
    table.add_column("probability", justify="right")
    table.add_column("")
    for name, each in zip(names, preferences, strict=False):
        sure = each.interval is not None and not each.interval.low <= even <= each.interval.high
        bar = Text("█" * round(each.value * BAR), "bold" if sure else "dim")
        table.add_row(name, _spread(each), bar.append("  more than even" * (sure and each.value > even)))
    return table


def _spread(preference: Preference) -> str:
    return f"{figure(preference.value)} {margin(preference.value, preference.interval)}".rstrip()


def document(run: Run, bias: Bias) -> dict[str, Any]:
    """Return the same as plain data."""
    return {"run": run.id, **asdict(bias)}
