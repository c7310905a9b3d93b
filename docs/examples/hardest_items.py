"""A section of the HTML report: the items on which the judges are furthest from people."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from judgeharness.plugin import Report, Section, SectionSpec, Subject, hookimpl

SHOWN = 5


@hookimpl
def judgeharness_sections() -> list[SectionSpec]:
    """Return the sections of this plugin."""
    return [
        SectionSpec(
            name="hardest-items",
            summary="the items on which the judges are furthest from people",
            target=f"{__name__}:section",
        )
    ]


def section(report: Report) -> Section | None:
    """Return the section, or None if the report has nothing to show in it."""
    rows = [row for subject in report.subjects for row in _rows(subject)]
    return Section("Hardest items", f"<ol>{''.join(rows)}</ol>") if rows else None


def _rows(subject: Subject) -> Iterator[str]:
    gaps: dict[str, list[float]] = {}
    for judge in subject.judges:
        for item, prediction in zip(subject.items, judge.predictions, strict=True):
            if prediction.probabilities is not None:
                pairs = zip(item.human, prediction.probabilities, strict=True)
                gaps.setdefault(item.uid, []).append(sum(abs(p - q) for p, q in pairs) / 2)
    means = {uid: sum(each) / len(each) for uid, each in gaps.items()}
    for uid in sorted(means, key=lambda uid: -means[uid])[:SHOWN]:
        yield f"<li>{escape(uid)}: mean total variation distance {means[uid]:.3f}</li>"
