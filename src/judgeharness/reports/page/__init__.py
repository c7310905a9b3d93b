"""A page for the browser: one HTML file with everything in it, made of sections."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import SectionSpec


@hookimpl
def judgeharness_sections() -> list[SectionSpec]:
    """The sections that ship with judgeharness, in the order in which they stand on the page."""
    where = "judgeharness.reports.page.sections"
    return [
        SectionSpec(name="leaderboard", summary="every run, best first", target=f"{where}.leaderboard:section"),
        SectionSpec(
            name="distributions", summary="people and judges as points", target=f"{where}.distributions:section"
        ),
        SectionSpec(name="items", summary="single items, down to a prompt's scores", target=f"{where}.items:section"),
        SectionSpec(name="provenance", summary="how each run was made", target=f"{where}.provenance:section"),
    ]
