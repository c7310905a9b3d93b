"""The page as one file: template, styles, scripts and data, with a policy that blocks everything else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO

from judgeharness.domain.errors import MissingExtraError
from judgeharness.domain.escaping import safe
from judgeharness.domain.version import __version__
from judgeharness.plugins.registry import Registry
from judgeharness.plugins.walls import Wall
from judgeharness.reports.leaderboard import Leaderboard
from judgeharness.reports.page.packing import script_safe
from judgeharness.reports.page.report import Report, Section
from judgeharness.reports.page.sections import leaderboard as leaderboard_section
from judgeharness.reports.page.subjects import subjects_data
from judgeharness.reports.page.templates import asset, html


def sections_of(report: Report, registry: Registry) -> list[tuple[str, Section]]:
    """Return what each section shows, by name. Raises HarnessError if a section fails."""
    found = []
    for spec, _ in registry.sections:
        section = registry.sections.load(spec.name)(report)
        if section is not None and not isinstance(section, Section):
            wall = registry.sections.wall(spec.name)
            raise wall.broken(spec.name, f"it gives {type(section).__name__}, not a Section")
        if section is not None:
            _require_sound(registry.sections.wall(spec.name), spec.name, section)
            found.append((spec.name, section))
    return found


def _require_sound(wall: Wall, name: str, section: Section) -> None:
    texts = (section.title, section.body, section.script, section.style)
    if not all(isinstance(each, str) for each in texts):
        raise wall.broken(name, "its title, body, script and style are not all texts")
    try:
        json.dumps(section.data, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise wall.broken(name, f"its data is not plain data: {error}") from error


def render(report: Report, sections: Sequence[tuple[str, Section]]) -> str:
    """Return the whole page. Raises MissingExtraError if it has plots and plotly is not installed."""
    data = {
        "subjects": subjects_data(report),
        **{name: section.data for name, section in sections if section.data is not None},
    }
    scripts = [
        *([plotly()] if any(section.plots for _, section in sections) else []),
        asset("core.js"),
        *(section.script for _, section in sections if section.script),
    ]
    styles = [asset("page.css"), *(section.style for _, section in sections if section.style)]
    return html(
        "page.html.jinja",
        report=report,
        sections=[(name, replace(section, body=safe(section.body))) for name, section in sections],
        policy=_policy(scripts),
        styles=[_inert(style, "style") for style in styles],
        scripts=[_inert(script, "script") for script in scripts],
        data=script_safe(data),
        version=__version__,
        made=datetime.now(UTC).strftime("%Y-%m-%d"),
    )


def write_leaderboard(board: Leaderboard, out: TextIO) -> None:
    """Write a page with the leaderboard alone, for the reporter `html`."""
    report = Report("Leaderboard", board, {})
    out.write(render(report, [("leaderboard", leaderboard_section.section(report))]))


def plotly() -> str:
    """Return the source of plotly.js, which the Python package plotly contains. Raises MissingExtraError."""
    try:
        from plotly.offline import get_plotlyjs
    except ImportError as error:
        raise MissingExtraError("a page with plots", "judgeharness[report]", str(error)) from error
    return str(get_plotlyjs())


def _inert(source: str, element: str) -> str:
    """Return source that cannot end the element that contains it."""
    return source.replace(f"</{element}", f"<\\/{element}")


def _policy(scripts: Iterable[str]) -> str:
    """Return a content security policy that allows these scripts and nothing from elsewhere."""
    hashes = [hashlib.sha256(_inert(script, "script").encode("utf-8")).digest() for script in scripts]
    allowed = " ".join(f"'sha256-{base64.b64encode(each).decode('ascii')}'" for each in hashes)
    return (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
