"""A leaderboard as an SVG image of the console's table."""

from __future__ import annotations

import io
from typing import TextIO

from rich.terminal_theme import SVG_EXPORT_THEME

from judgeharness.reports.formats.table import render
from judgeharness.reports.leaderboard import Leaderboard
from judgeharness.reports.text import Console

WIDTH = 104


def write(board: Leaderboard, out: TextIO) -> None:
    """Write the table as `table` prints it on a terminal that is WIDTH columns wide."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(render(board, WIDTH))
    out.write(console.export_svg(title="judgeharness", theme=SVG_EXPORT_THEME))
