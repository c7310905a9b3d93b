"""`--out` of commands that draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from judgeharness.cli.shared.parameters import OutputFile


def picture_option(summary: str) -> Callable[[Any], Any]:
    """Return the option `--out` for a picture, with a help text."""
    return click.option("--out", type=OutputFile(), callback=_require_ending, metavar="FILE", help=summary)


def _require_ending(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    from judgeharness.reports.plots.paper import require_ending

    if value is not None:
        require_ending(value)
    return value
