"""Reporters: output formats of the leaderboard. Each is a value of `--format`."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import ReporterSpec


@hookimpl
def judgeharness_reporters() -> list[ReporterSpec]:
    """Return the reporters that ship with judgeharness."""
    return [
        ReporterSpec(
            name="table", summary="a table for the terminal", target="judgeharness.reports.formats.table:write"
        ),
        ReporterSpec(name="json", summary="one JSON document", target="judgeharness.reports.formats.json:write"),
        ReporterSpec(name="csv", summary="comma-separated values", target="judgeharness.reports.formats.csv:write"),
        ReporterSpec(name="markdown", summary="Markdown tables", target="judgeharness.reports.formats.markdown:write"),
        ReporterSpec(
            name="latex", summary="LaTeX tables (booktabs)", target="judgeharness.reports.formats.latex:write"
        ),
        ReporterSpec(name="html", summary="an HTML page", target="judgeharness.reports.page.html:write_leaderboard"),
        ReporterSpec(name="svg", summary="the table as an SVG image", target="judgeharness.reports.formats.svg:write"),
    ]
