"""A reporter: one line for each leaderboard, with the judge that ranks first."""

from __future__ import annotations

from typing import TextIO

from judgeharness.plugin import Leaderboard, ReporterSpec, figure, hookimpl


@hookimpl
def judgeharness_reporters() -> list[ReporterSpec]:
    """Return the reporters of this plugin."""
    return [
        ReporterSpec(
            name="winners",
            summary="one line for each leaderboard, with its first judge",
            target=f"{__name__}:write",
        )
    ]


def write(board: Leaderboard, out: TextIO) -> None:
    """Write the report. The runs of a board are sorted, best first; models come before baselines."""
    for each in board.boards:
        first = each.runs[0]
        out.write(f"{each.task.name}: {first.name}, JSD {figure(first.metrics['jsd'])}\n")
