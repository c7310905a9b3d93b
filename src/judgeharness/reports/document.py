"""A leaderboard as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from judgeharness.reports.leaderboard import Leaderboard
from judgeharness.store.runs import Run
from judgeharness.uncertainty import Interval


def write(board: Leaderboard, out: TextIO) -> None:
    """`{"runs": [...]}`, each with its names, counts, metrics and 95 % intervals; what is undefined is null."""
    found = {run_id: rows for each in board.boards for run_id, rows in each.intervals.items()}
    ranks = {run_id: rank for each in board.boards for run_id, rank in each.ranks.items()}
    runs = [{**_run(run, found.get(run.id, {})), "rank": ranks.get(run.id)} for run in board.runs]
    json.dump({"runs": runs}, out, indent=2, allow_nan=False)
    out.write("\n")


def _run(run: Run, intervals: Mapping[str, Interval | None]) -> dict[str, Any]:
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
        "intervals": {name: None if each is None else [each.low, each.high] for name, each in intervals.items()},
    }
