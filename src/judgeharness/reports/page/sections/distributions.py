"""People and judges side by side: each item a point between the labels."""

from __future__ import annotations

from judgeharness.reports.page.report import Report, Section
from judgeharness.reports.page.templates import asset, html


def section(report: Report) -> Section | None:
    """A triangle for people and for each judge (a line for two labels, bars for more than three), all linked."""
    if not report.subjects:
        return None
    body = html("distributions.html.jinja", subjects=report.subjects)
    return Section("Distributions", body, script=asset("distributions.js"), plots=True)
