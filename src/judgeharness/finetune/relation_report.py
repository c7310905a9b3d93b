"""How metrics of soft labels and of the classifiers trained on them are related, for the console and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.finetune.leaderboard import Row
from judgeharness.finetune.relation import Relation, Taught
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.text import plain


def taught(rows: Sequence[Row], split: str) -> list[Taught]:
    """Return fine-tuned classifiers on one split, with the mean over seeds of each metric."""
    return [
        Taught(
            f"{row.model}: {row.labels}",
            row.of_labels,
            {name: each.value for name, each in row.figures[split].items()},
        )
        for row in rows
    ]


def render(found: Relation, split: str, rows: Sequence[MetricSpec], columns: Sequence[MetricSpec]) -> RenderableType:
    """Show Kendall's tau, with a row for each metric of the labels and a column for each metric of the classifier."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
    table.add_column("labels' / classifier's")
    for spec in columns:
        table.add_column(plain(spec.label), justify="right")
    for spec in rows:
        table.add_row(plain(spec.label), *(_tau(found.tau[spec.name, other.name]) for other in columns))
    note = (
        f"Kendall's tau over {len(found.taught)} classifiers: 1 where labels that are better by the one measure always "
        "teach better by the other, 0 where that says nothing, -1 where it is the other way round"
    )
    return Group(plain(f"{split}", "bold"), table, plain(note, "dim"))


def document(found: Relation, split: str) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "split": split,
        "classifiers": [
            {"name": each.name, "labels": dict(each.of_labels), "classifier": dict(each.of_model)}
            for each in found.taught
        ],
        "tau": [{"labels": one, "classifier": other, "tau": tau} for (one, other), tau in found.tau.items()],
    }


def _tau(value: float | None) -> Text:
    return Text("-" if value is None else f"{value:+.2f}")
