"""Reporters: forms in which a leaderboard is written. Each is a value of `--format`."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import ReporterSpec


@hookimpl
def judgeharness_reporters() -> list[ReporterSpec]:
    """The reporters that ship with judgeharness."""
    return [
        ReporterSpec(
            name="table", summary="a table for the console", target="judgeharness.reports.formats.table:write"
        ),
        ReporterSpec(name="json", summary="one JSON document", target="judgeharness.reports.formats.json:write"),
        ReporterSpec(name="csv", summary="comma-separated values", target="judgeharness.reports.formats.csv:write"),
        ReporterSpec(name="markdown", summary="Markdown tables", target="judgeharness.reports.formats.markdown:write"),
        ReporterSpec(
            name="latex", summary="LaTeX tables (booktabs)", target="judgeharness.reports.formats.latex:write"
        ),
        ReporterSpec(
            name="html", summary="a page for the browser", target="judgeharness.reports.page.html:write_leaderboard"
        ),
        ReporterSpec(name="svg", summary="the table as a picture", target="judgeharness.reports.formats.svg:write"),
    ]
