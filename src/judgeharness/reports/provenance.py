"""A run that was verified or rerun, for the console and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.evaluation.again.origin import Change
from judgeharness.evaluation.again.rerun import Rerun
from judgeharness.evaluation.again.verify import Checked, Verified
from judgeharness.reports.text import figure, plain


def render_rerun(rerun: Rerun) -> RenderableType:
    """Show the metrics then and now, what has changed, and the verdict."""
    table = _table("measure", "then", "now", "difference")
    for name, (then, now) in rerun.metrics().items():
        difference = None if then is None or now is None else now - then
        table.add_row(plain(name), figure(then), figure(now), "-" if difference is None else f"{difference:+.2g}")
    return Group(
        plain(f"run {rerun.then.id}: {rerun.then.name}", "bold"),
        table,
        _changes(rerun.changes),
        _verdict(rerun.holds, rerun_words(rerun)),
    )


def rerun_words(rerun: Rerun) -> str:
    """Return the verdict on a rerun, in words."""
    lost = f"; {len(rerun.only_then):,} items have no distribution now" if rerun.only_then else ""
    new = f"; {len(rerun.only_now):,} items had none then" if rerun.only_now else ""
    if rerun.largest is None:
        return f"no item has a distribution in both{lost}{new}"
    side = "within" if rerun.largest <= rerun.tolerance else "beyond"
    return (
        f"{rerun.compared:,} items: the largest difference (TVD) is {rerun.largest:.2g}, of '{rerun.farthest}', "
        f"{side} {rerun.tolerance:g}; {rerun.mean:.2g} on average{lost}{new}"
    )


def rerun_document(rerun: Rerun) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "run": rerun.then.id,
        "holds": rerun.holds,
        "verdict": rerun_words(rerun),
        "tolerance": rerun.tolerance,
        "items": rerun.compared,
        "largest_tvd": rerun.largest,
        "mean_tvd": rerun.mean,
        "farthest": rerun.farthest,
        "only_then": list(rerun.only_then),
        "only_now": list(rerun.only_now),
        "metrics": {name: {"then": then, "now": now} for name, (then, now) in rerun.metrics().items()},
        "changes": [asdict(change) for change in rerun.changes],
    }


def render_verified(verified: Verified) -> RenderableType:
    """Show a row for each answer, what has changed, and the verdict."""
    table = _table("item", "prompts", "TVD", "largest Δp", "other texts", "")
    for each in verified.checked:
        same = each.holds(verified.tolerance)
        table.add_row(plain(each.uid), *_cells(each), plain("" if same else each.failure or "differs", "red"))
    title = plain(f"run {verified.run.id}: {verified.run.name}", "bold")
    return Group(title, table, _changes(verified.changes), _verdict(verified.holds, verified_words(verified)))


def verified_words(verified: Verified) -> str:
    """Return the verdict on a sample of stored answers, in words."""
    others = [each for each in verified.checked if not each.holds(verified.tolerance)]
    differing = f"{len(others):,} of {len(verified.checked):,} answers differ"
    found = [each.distance for each in verified.checked if each.distance is not None]
    largest = f"; the largest difference between distributions (TVD) is {max(found):.2g}" if found else ""
    same = f"{len(verified.checked):,} answers are what they were"
    return f"{differing if others else same} (tolerance {verified.tolerance:g}){largest}"


def verified_document(verified: Verified) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "run": verified.run.id,
        "holds": verified.holds,
        "verdict": verified_words(verified),
        "tolerance": verified.tolerance,
        "answers": [asdict(each) for each in verified.checked],
        "changes": [asdict(change) for change in verified.changes],
    }


def _cells(each: Checked) -> list[str]:
    small = ("-" if value is None else f"{value:.2g}" for value in (each.distance, each.probability))
    return [str(each.prompts), *small, "-" if each.texts is None else str(each.texts)]


def _changes(changes: Sequence[Change]) -> RenderableType:
    if not changes:
        return plain("nothing that it depends on has changed", "dim")
    table = _table("what has changed", "then", "now")
    for column in table.columns[1:]:
        column.justify = "left"
        column.overflow = "fold"
    for change in changes:
        table.add_row(plain(change.what), _value(change.then), _value(change.now))
    return table


def _value(value: Any) -> Text:
    text = "-" if value is None else str(value)
    return plain(text if len(text) <= 60 else f"{text[:57]}...")


def _verdict(holds: bool, words: str) -> Text:
    return plain(words, "bold green" if holds else "bold red")


def _table(*heads: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(heads[0], overflow="fold")
    for head in heads[1:]:
        table.add_column(head, justify="right")
    return table
