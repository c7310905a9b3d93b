"""People and judges side by side, with each item as a point between the labels."""

from __future__ import annotations

from judgeharness.reports.page.report import Report, Section
from judgeharness.reports.page.templates import asset, html


def section(report: Report) -> Section | None:
    """Show a triangle for people and for each judge, all linked. Two labels give a line, more than three give bars."""
    if not report.subjects:
        return None
    body = html("distributions.html.jinja", subjects=report.subjects)
    return Section("Distributions", body, script=asset("distributions.js"), plots=True)
