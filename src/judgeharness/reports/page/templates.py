"""The page's own files: templates, scripts, styles."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from judgeharness.domain.escaping import safe

ASSETS = Path(__file__).with_name("assets")


def asset(name: str) -> str:
    """The text of a file of the page."""
    return (ASSETS / name).read_text(encoding="utf-8")


def html(template: str, **values: Any) -> str:
    """HTML of one of the page's templates, in which every value is escaped and fit to be shown."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS),
        autoescape=True,
        # HTML, of sections and of scripts, is Markup, and stays as it is.
        finalize=lambda value: value if isinstance(value, Markup) or not isinstance(value, str) else safe(value),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
