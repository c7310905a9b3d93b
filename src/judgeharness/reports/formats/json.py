"""A leaderboard as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from judgeharness.analysis.intervals import Interval
from judgeharness.reports.leaderboard import Board, Leaderboard, ReferenceRow
from judgeharness.store.runs import Run


def write(board: Leaderboard, out: TextIO) -> None:
    """Write `{"runs": [...], "references": [...]}`. Undefined values are null.

    Runs have their names, counts, metrics and 95 % intervals, the reason if they are outdated, and the reasons if a
    plugin's metric has no value or interval. References are people, baselines, and published results, which have a
    source.
    """
    found = {run_id: rows for each in board.boards for run_id, rows in each.intervals.items()}
    ranks = {run_id: rank for each in board.boards for run_id, rank in each.ranks.items()}
    outdated = {run_id: reason for each in board.boards for run_id, reason in each.outdated.items()}
    faults = {run_id: reasons for each in board.boards for run_id, reasons in each.faults.items()}
    runs = [
        {
            **_run(run, found.get(run.id, {})),
            "rank": ranks.get(run.id),
            "outdated": outdated.get(run.id),
            "metric_faults": dict(faults.get(run.id, {})),
        }
        for run in board.runs
    ]
    references = [_reference(each, row) for each in board.boards for row in (*each.published, *each.references)]
    json.dump({"runs": runs, "references": references}, out, indent=2, allow_nan=False)
    out.write("\n")


def _run(run: Run, intervals: Mapping[str, Interval | None]) -> dict[str, Any]:
    return {
        "id": run.id,
        "task": run.task,
        "split": run.split,
        "backend": run.backend,
        "strategy": run.strategy,
        "explanations": run.explanations or None,
        "transform": run.transform,
        "temperature": run.temperature,
        "n_items": run.n_items,
        "n_failed": run.n_failed,
        "options_mass": run.record.options_mass,
        "options_censored": run.record.options_censored,
        "prompts_left_out": run.record.prompts_left_out,
        "texts": run.record.texts,
        "texts_cut": run.record.texts_cut,
        "texts_unread": run.record.texts_unread,
        "metrics": dict(run.metrics),
        "intervals": {name: None if each is None else [each.low, each.high] for name, each in intervals.items()},
    }


def _reference(board: Board, row: ReferenceRow) -> dict[str, Any]:
    return {
        "task": board.task.name,
        "split": board.task.split,
        "n_items": board.task.n_items,
        "name": row.name,
        "strategy": row.strategy,
        "transform": row.transform,
        "temperature": row.temperature,
        "source": row.source or None,
        "note": row.note or None,
        "metrics": dict(row.metrics),
    }
