"""Runs compared with the first of them: as data, for the console and as a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.analysis.significance import ALPHA, POWER, MeasureDifference, changed_most, differences, holm
from judgeharness.domain.errors import InputError
from judgeharness.metrics.measure import Measure, Sample, applicable
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.text import figure, plain
from judgeharness.store.runs import Run, Runs


@dataclass(frozen=True, slots=True)
class Compared:
    """A run compared with the first.

    Attributes:
        run: The run.
        items: How many items both runs have a distribution for.
        differences: The difference in each metric, by name.
        changed: The uids of the items that changed most, with their differences.
    """

    run: Run
    items: int
    differences: Mapping[str, MeasureDifference]
    changed: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first run, and the other runs compared with it. `by` is the metric that `changed` is about."""

    first: Run
    others: tuple[Compared, ...]
    specs: tuple[MetricSpec, ...]
    by: MetricSpec


def compared(names: Sequence[str], stored: Runs, measures: Mapping[str, Measure], by: str, most: int) -> Comparison:
    """Compare runs, given by their ids or the start of these.

    Args:
        names: The ids of the runs. The others are compared with the first.
        stored: The runs of the store.
        measures: The metrics to compare, by name.
        by: The metric that selects the items that changed most.
        most: How many such items to return.

    Raises:
        InputError: There are fewer than two runs, their items differ, or they share no item with a distribution.
    """
    runs = [stored.find(name) for name in names]
    if len({run.id for run in runs}) < 2:
        raise InputError("compare takes two runs or more", "'judgeharness leaderboard' shows their ids")
    first, *others = runs
    for run in others:
        if run.task_digest != first.task_digest:
            raise InputError(f"runs {first.id} and {run.id} are over different items, so they cannot be compared")
    ordinal = stored.task(first.task_digest).record.ordinal
    fitting = applicable(measures, ordinal)
    rows = [_beside(first, run, stored, fitting, by, most) for run in others]
    specs = tuple(each.spec for each in fitting.values())
    return Comparison(first, tuple(_corrected(rows, list(fitting))), specs, measures[by].spec)


def _beside(first: Run, run: Run, stored: Runs, measures: Mapping[str, Measure], by: str, most: int) -> Compared:
    theirs = {each.uid: each for each in stored.predictions(run.id) if each.probabilities}
    ours = {each.uid: each for each in stored.predictions(first.id) if each.probabilities}
    items = [item for item in stored.items(first.task_digest) if item.uid in theirs and item.uid in ours]
    if not items:
        raise InputError(f"runs {first.id} and {run.id} have no item in common")
    one = Sample.of(items, [ours[item.uid] for item in items])
    other = Sample.of(items, [theirs[item.uid] for item in items])
    changed = changed_most(measures[by], one, other, most)
    found = differences(measures, one, other)
    return Compared(run, len(items), found, tuple((items[place].uid, gap) for place, gap in changed))


def _corrected(rows: Sequence[Compared], names: Sequence[str]) -> list[Compared]:
    """Correct all p-values together, over the metrics and the runs."""
    corrected = iter(holm([row.differences[name].p for row in rows for name in names]))
    return [
        replace(row, differences={name: replace(row.differences[name], corrected=next(corrected)) for name in names})
        for row in rows
    ]


def render(comparison: Comparison) -> RenderableType:
    """Show a table for each pair, and the items that changed most."""
    parts: list[RenderableType] = []
    for row in comparison.others:
        parts += [Text(), _title(comparison.first, row), _table(comparison, row)]
        if row.changed:
            uids = ", ".join(f"{uid} ({gap:+.3f})" for uid, gap in row.changed)
            parts.append(plain(f"changed most by {comparison.by.label}: {uids}", "dim"))
    parts += [plain(line, "dim") for line in _notes(comparison)]
    return Group(*parts)


def _notes(comparison: Comparison) -> Iterator[str]:
    tests = sum(each.p is not None for row in comparison.others for each in row.differences.values())
    yield f"difference: second minus first; p of a paired test, corrected for {tests} tests (Holm)"
    yield f"detectable: the smallest difference that a single test finds on so many items in {POWER:.0%} of cases"
    if any(spec.direction == "zero" for spec in comparison.specs):
        yield "metrics that are best at 0: the difference is that of the distances from 0"
    if any(spec.squared for spec in comparison.specs):
        names = ", ".join(spec.label for spec in comparison.specs if spec.squared)
        yield f"{names}: the difference is that of the unbiased estimates, not of the values"


def _title(first: Run, row: Compared) -> Text:
    return plain(f"{_name(first)}  and  {_name(row.run)}, {row.items:,} items", "bold")


def _name(run: Run) -> str:
    return " ".join(part for part in (run.backend, run.way, run.transform) if part) + f" [{run.id}]"


def _table(comparison: Comparison, row: Compared) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("metric", "first", "second", "difference", "95 % interval", "p", "detectable", "better"):
        table.add_column(head, justify="left" if head in {"metric", "better"} else "right", no_wrap=True)
    for spec in comparison.specs:
        each = row.differences[spec.name]
        table.add_row(plain(spec.label), figure(each.first), figure(each.second), *_cells(spec, each))
    return table


def _cells(spec: MetricSpec, each: MeasureDifference) -> list[Text]:
    if each.difference is None:
        return [Text("-"), Text("-"), Text("-"), Text("-"), Text()]
    interval = "-" if each.interval is None else f"{each.interval.low:+.3f} {each.interval.high:+.3f}"
    sure = each.corrected is not None and each.corrected < ALPHA
    return [
        Text(f"{each.difference:+.3f}"),
        Text(interval),
        Text(_p(each.corrected)),
        Text(figure(each.detectable)),
        Text(_verdict(spec, each) if sure else _unsure(each), "bold" if sure else "dim"),
    ]


def _p(value: float | None) -> str:
    return "-" if value is None else "<.0001" if value < 0.0001 else f"{value:.4f}"


def _unsure(each: MeasureDifference) -> str:
    return "" if each.corrected is None else "(noise)"


def _verdict(spec: MetricSpec, each: MeasureDifference) -> str:
    gap = each.difference or 0.0
    # For a metric that is best at zero, this is a difference of distances from it.
    return "second" if (gap > 0 if spec.direction == "higher" else gap < 0) else "first"


def document(comparison: Comparison) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "first": comparison.first.id,
        "by": comparison.by.name,
        "others": [
            {
                "run": row.run.id,
                "items": row.items,
                "metrics": {name: asdict(each) for name, each in row.differences.items()},
                "changed_most": [{"uid": uid, "difference": gap} for uid, gap in row.changed],
            }
            for row in comparison.others
        ],
    }
