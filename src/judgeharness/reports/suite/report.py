"""The report of a suite as Markdown, and its tables for LaTeX."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from judgeharness.analysis.significance import ALPHA
from judgeharness.domain.escaping import safe
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.comparison import Comparison
from judgeharness.reports.formats import latex as latex_tables
from judgeharness.reports.formats import markdown as markdown_tables
from judgeharness.reports.formats.markdown import escaped, table
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.reports.suite.published import Pair, cells, pairs
from judgeharness.reports.text import figure
from judgeharness.store.runs import Run
from judgeharness.tasks.published import PublishedJudge


@dataclass(frozen=True, slots=True)
class Cost:
    """How one judge was asked in one way. `seconds` is the time it took, if the store can tell."""

    run: Run
    prompts: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot's title, and its file name without the suffix."""

    title: str
    stem: str


@dataclass(frozen=True, slots=True)
class SuiteReport:
    """What a report contains.

    Attributes:
        title: The title.
        about: What the suite is about.
        command: The command that makes the report again.
        versions: The versions of judgeharness and of packages.
        models: Each model with facts about it.
        asked: A row for each model, strategy and task.
        board: The leaderboard.
        comparisons: Strategies compared with the first one, for each model and transform.
        plots: The plots.
    """

    title: str
    about: str
    command: str
    versions: dict[str, str]
    models: tuple[tuple[str, dict[str, Any]], ...]
    asked: tuple[Cost, ...]
    board: Leaderboard
    comparisons: tuple[Comparison, ...]
    plots: tuple[Plot, ...]


def markdown(report: SuiteReport) -> str:
    """Return the whole report as Markdown."""
    parts = [f"# {escaped(report.title)}", escaped(report.about.strip()), *_run(report)]
    for board in report.board.boards:
        parts += [*_printed(board, report.board), *_published(board, report.board)]
    parts += ["## All results", _leaderboard(report.board, markdown_tables.write), _reading()]
    if report.comparisons:
        parts += ["## What the strategies change", *_changes(report.comparisons)]
    if report.plots:
        parts += [
            "## Plots",
            *(f"![{escaped(plot.title)}]({plot.stem}.png)\n\n{escaped(plot.title)}" for plot in report.plots),
        ]
    return "\n\n".join(part for part in parts if part) + "\n"


def latex(report: SuiteReport) -> str:
    """Return the tables as LaTeX: published beside measured results, then the leaderboard."""
    tables = [part for board in report.board.boards for part in _printed_latex(board, report.board)]
    return "\n\n".join([*tables, _leaderboard(report.board, latex_tables.write)]) + "\n"


def _run(report: SuiteReport) -> Iterator[str]:
    yield "## What was run"
    yield f"    {safe(report.command)}"
    yield ", ".join(f"{name} {version}" for name, version in report.versions.items())
    for name, facts in report.models:
        yield f"{escaped(name)}: " + ", ".join(f"{escaped(key)} {escaped(str(value))}" for key, value in facts.items())
    if report.asked:
        heads = ["judge", "strategy", "task", "items", "prompts", "time"]
        yield table("lllrrr", heads, [_asked(each) for each in report.asked])
        yield "Time is from the first to the last item that was stored, in this call and in those before it."


def _asked(each: Cost) -> list[str]:
    run = each.run
    failed = f" ({run.n_failed} failed)" if run.n_failed else ""
    names = map(escaped, (run.backend, run.way, run.task))
    return [*names, f"{run.n_items:,}{failed}", f"{each.prompts:,}", _duration(each.seconds)]


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"


def _printed(board: Board, whole: Leaderboard) -> Iterator[str]:
    found, published = pairs(board), board.task.published
    if not found or published is None:
        return
    yield f"## Published and measured ({escaped(board.task.name)})"
    yield f"Published in {escaped(published.source)} / measured here. **Bold**: they differ in the third decimal."
    heads = [escaped(spec.label) for spec in whole.metrics]
    lines = [[*_names(pair), *(_cell(*cell) for cell in cells(pair, whole.metrics))] for pair in found]
    yield table("lll" + "r" * len(heads), ["judge", "strategy", "transform", *heads], lines)
    notes = [f"- {escaped(pair.judge.name)}: {escaped(pair.row.note)}" for pair in found if pair.row.note]
    if notes:
        yield "\n".join(["Where they differ, and why:", "", *notes])


def _names(pair: Pair) -> list[str]:
    return [escaped(pair.judge.name), escaped(pair.row.strategy or ""), escaped(pair.row.transform or "")]


def _cell(before: str, measured: str, differs: bool) -> str:
    return f"{before} / **{measured}**" if differs else f"{before} / {measured}"


def _published(board: Board, whole: Leaderboard) -> Iterator[str]:
    """Yield each of our models beside published results of other models, for the same strategies and transforms."""
    published = board.task.published
    models = [run for run in whole.runs if run.strategy and run.task_digest == board.task.digest]
    judges = [judge for judge in published.judges if any(row.strategy for row in judge.rows)] if published else []
    if published is None or not models or not judges:
        return
    names = list(dict.fromkeys(run.backend for run in models))
    yield f"## Compared with published results of other models ({escaped(board.task.name)})"
    yield f"{' / '.join(escaped(spec.label) for spec in whole.metrics)}. †: published in {escaped(published.source)}."
    heads = [*map(escaped, names), *(f"{escaped(judge.name)} †" for judge in judges)]
    lines = []
    for way in dict.fromkeys((run.strategy, run.transform) for run in models):
        own = (_measured(models, name, way, whole.metrics) for name in names)
        others = (_in_print(judge, way, whole.metrics) for judge in judges)
        lines.append([*(escaped(part or "") for part in way), *own, *others])
    yield table("ll" + "r" * len(heads), ["strategy", "transform", *heads], lines)


Way = tuple[str | None, str | None]


def _measured(models: Sequence[Run], backend: str, way: Way, metrics: Sequence[MetricSpec]) -> str:
    found = [run.metrics for run in models if run.backend == backend and (run.strategy, run.transform) == way]
    return _together(found, metrics)


def _in_print(judge: PublishedJudge, way: Way, metrics: Sequence[MetricSpec]) -> str:
    return _together([row.figures for row in judge.rows if (row.strategy, row.transform) == way], metrics)


def _together(found: Sequence[Mapping[str, float | None]], metrics: Sequence[MetricSpec]) -> str:
    return " / ".join(figure(found[0].get(spec.name)) for spec in metrics) if found else "-"


def _leaderboard(board: Leaderboard, write: Any) -> str:
    out = io.StringIO()
    write(board, out)
    return out.getvalue().strip()


def _reading() -> str:
    return (
        "In brackets the 95 % interval on new items of the same kind. Judges share a place (#) if nothing tells them "
        "apart. *noise floor* is what a judge would get that knows the distribution behind the votes. *human "
        "split-half* is one half of the people against the other half: both are noisy, so a judge may come closer. "
        "Distance correlation is too high for judges that depend weakly on people. Its interval says where it would be "
        "with many items, and may lie below it."
    )


def _changes(comparisons: Sequence[Comparison]) -> Iterator[str]:
    first = comparisons[0]
    yield (
        f"Differences from {escaped(first.first.way)}, by the same judge on the same items: below zero is "
        "lower. **Bold**: beyond noise (paired test, p < .05 after Holm's correction over metrics and strategies)."
    )
    lines = [
        [
            *map(escaped, (other.run.backend, other.run.way, other.run.transform or "")),
            *(_difference(other.differences[spec.name]) for spec in comparison.specs),
        ]
        for comparison in comparisons
        for other in comparison.others
    ]
    heads = [escaped(spec.label) for spec in first.specs]
    yield table("lll" + "r" * len(heads), ["judge", "strategy", "transform", *heads], lines)


def _difference(each: Any) -> str:
    if each.difference is None:
        return "-"
    text = f"{each.difference:+.4f}"
    return f"**{text}**" if each.corrected is not None and each.corrected < ALPHA else text


def _printed_latex(board: Board, whole: Leaderboard) -> Iterator[str]:
    found, published = pairs(board), board.task.published
    if not found or published is None:
        return
    escape = latex_tables.escaped
    heads = " & ".join(["judge", "strategy", "transform", *(escape(spec.label) for spec in whole.metrics)])
    lines = [
        f"% {escape(board.task.name)}: published in {escape(published.source)} / measured; bold where they differ",
        rf"\begin{{tabular}}{{lll{'r' * len(whole.metrics)}}}",
        r"\toprule",
        heads + r" \\",
        r"\midrule",
    ]
    for pair in found:
        names = map(escape, (pair.judge.name, pair.row.strategy or "", pair.row.transform or ""))
        figures = [
            rf"{before} / \textbf{{{measured}}}" if differs else f"{before} / {measured}"
            for before, measured, differs in cells(pair, whole.metrics)
        ]
        lines.append(" & ".join([*names, *figures]) + r" \\")
    yield "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])
