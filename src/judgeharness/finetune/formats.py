"""The leaderboard of fine-tuned classifiers as a table, JSON, Markdown and LaTeX."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from judgeharness.domain.errors import InputError
from judgeharness.finetune.leaderboard import Board, Figure, Row
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.latex import escaped as latex_escaped
from judgeharness.reports.formats.markdown import escaped, table
from judgeharness.reports.formats.notes import PRINTED
from judgeharness.reports.text import Console, figure, plain

WIDE = 110


def render(found: Board, width: int) -> RenderableType:
    """Show a table for each split. The spread over seeds is shown if the terminal has at least WIDE columns."""
    shown = found.shown
    parts: list[RenderableType] = []
    for split in found.splits:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, collapse_padding=True)
        table.add_column("model", overflow="fold")
        table.add_column("learned from", overflow="fold")
        for spec in shown:
            table.add_column(plain(spec.label), justify="right", no_wrap=True)
        for row in found.all_rows:
            cells = [Text(_text(row.figures[split].get(spec.name), width >= WIDE)) for spec in shown]
            last = bool(found.printed) and row is found.rows[-1]
            style = "dim" if row.source else ""
            table.add_row(plain(row.model), plain(row.name), *cells, style=style, end_section=last)
        parts += [Text(), plain(f"{split}, {found.entropies[split]:.4f} nats of human entropy", "bold"), table]
    seeds = {row.seeds for row in found.rows}
    numbers = sorted({len(each) for each in seeds})
    about = " or ".join(map(str, numbers)) + (" seed" if numbers == [1] else " seeds, their mean ± standard deviation")
    notes = [f"{about}; KL/K is KL divided by the number of labels, as fine-tuning tables print it"]
    notes += [f"{PRINTED} as published in {source}" for source in dict.fromkeys(row.source for row in found.printed)]
    return Group(*parts, *(plain(note, "dim") for note in notes))


def _text(each: Figure | None, with_spread: bool) -> str:
    if each is None:
        return "-"
    spread = f" ±{figure(each.spread).lstrip('0')}" if with_spread and each.spread is not None else ""
    return figure(each.value) + spread


def document(found: Board) -> dict[str, Any]:
    """Return the same as plain data."""
    return {
        "human_entropy": dict(found.entropies),
        "rows": [
            {
                "model": row.model,
                "labels": row.labels,
                "labels_run": row.labels_run,
                "seeds": list(row.seeds),
                "runs": list(row.runs),
                "label_metrics": dict(row.of_labels),
                "source": row.source or None,
                "splits": {
                    split: {name: _figure_document(each) for name, each in figures.items()}
                    for split, figures in row.figures.items()
                },
            }
            for row in found.all_rows
        ],
    }


def _figure_document(each: Figure) -> dict[str, Any]:
    ends = None if each.interval is None else [each.interval.low, each.interval.high]
    return {"mean": each.value, "sd": each.spread, "interval": ends}


def markdown(found: Board) -> str:
    """Return the paper's table as Markdown, with the values of all splits in one cell, separated by slashes."""
    shown = found.shown
    heads = ["model", "learned from", *(escaped(spec.label) for spec in shown)]
    lines = [
        [escaped(row.model), escaped(row.name), *(_joined(row, spec, found) for spec in shown)]
        for row in found.all_rows
    ]
    splits = " / ".join(map(escaped, found.splits))
    sources = [f"{PRINTED} as published in {escaped(s)}\n" for s in dict.fromkeys(row.source for row in found.printed)]
    return "\n\n".join([splits, table("ll" + "r" * len(shown), heads, lines), *sources]).rstrip() + "\n"


def latex(found: Board) -> str:
    """Return the same as a tabular with booktabs."""
    shown = found.shown
    heads = " & ".join(["model", "learned from", *(latex_escaped(spec.label) for spec in shown)])
    rule = [rf"\begin{{tabular}}{{ll{'r' * len(shown)}}}", r"\toprule", heads + r" \\", r"\midrule"]
    splits = f"% {' / '.join(map(latex_escaped, found.splits))}"
    lines = [_latex_line(row, shown, found) for row in found.rows]
    if found.printed:
        lines += [r"\midrule", *(_latex_line(row, shown, found) for row in found.printed)]
        lines += [
            f"% dagger: published in {latex_escaped(s)}" for s in dict.fromkeys(row.source for row in found.printed)
        ]
    return "\n".join([splits, *rule, *lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def _latex_line(row: Row, shown: Sequence[MetricSpec], found: Board) -> str:
    labels = latex_escaped(row.labels) + r"$^\dagger$" * bool(row.source)
    return " & ".join([latex_escaped(row.model), labels, *(_joined(row, spec, found) for spec in shown)]) + r" \\"


def _joined(row: Row, spec: MetricSpec, found: Board) -> str:
    return " / ".join(_text(row.figures[split].get(spec.name), True) for split in found.splits)


def _write_table(found: Board, out: TextIO) -> None:
    console = Console(file=out)
    console.print(render(found, console.width))


WRITERS: Mapping[str, Callable[[Board, TextIO], Any]] = {
    "table": _write_table,
    "json": lambda found, out: out.write(json.dumps(document(found), indent=2) + "\n"),
    "markdown": lambda found, out: out.write(markdown(found)),
    "latex": lambda found, out: out.write(latex(found)),
}


def writer(form: str) -> Callable[[Board, TextIO], Any]:
    """Return the function that writes a board in this format. Raises InputError."""
    if form not in WRITERS:
        raise InputError(f"--format {form}: fine-tuned classifiers are written as {', '.join(WRITERS)}")
    return WRITERS[form]
