"""The page's own files: templates, scripts and styles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from judgeharness.domain.escaping import safe

ASSETS = Path(__file__).with_name("assets")


def asset(name: str) -> str:
    """Return the text of one of the page's files."""
    return (ASSETS / name).read_text(encoding="utf-8")


def html(template: str, **values: Any) -> str:
    """Render one of the page's templates to HTML. Every value is escaped and made safe to display."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        # Sections and scripts are passed as Markup, which must stay as it is.
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else safe(value),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
