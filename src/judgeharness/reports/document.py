"""A leaderboard as one JSON document."""

from __future__ import annotations

import json
from typing import Any, TextIO

from judgeharness.reports.leaderboard import Leaderboard
from judgeharness.store.runs import Run


def write(board: Leaderboard, out: TextIO) -> None:
    """`{"runs": [...]}`, each with its names, counts and metrics; what is undefined is null."""
    json.dump({"runs": [_run(run) for run in board.runs]}, out, indent=2, allow_nan=False)
    out.write("\n")


def _run(run: Run) -> dict[str, Any]:
    return {
        "id": run.id,
        "task": run.task,
        "split": run.split,
        "backend": run.backend,
        "strategy": run.strategy,
        "transform": run.transform,
        "temperature": run.temperature,
        "n_items": run.n_items,
        "n_failed": run.n_failed,
        "options_mass": run.record.get("options_mass"),
        "options_censored": run.record.get("options_censored"),
        "prompts_left_out": run.record.get("prompts_left_out"),
        "metrics": dict(run.metrics),
    }
