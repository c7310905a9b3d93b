"""HTML report: one self-contained file, made of sections."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import SectionSpec


@hookimpl
def judgeharness_sections() -> list[SectionSpec]:
    """Return the sections that ship with judgeharness, in their order in the report."""
    where = "judgeharness.reports.page.sections"
    return [
        SectionSpec(name="leaderboard", summary="every run, best first", target=f"{where}.leaderboard:section"),
        SectionSpec(
            name="distributions",
            summary="distributions of people and judges as points",
            target=f"{where}.distributions:section",
        ),
        SectionSpec(
            name="items", summary="single items, with the scores of each prompt", target=f"{where}.items:section"
        ),
        SectionSpec(name="provenance", summary="how each run was made", target=f"{where}.provenance:section"),
    ]
