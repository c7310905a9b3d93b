"""A leaderboard as one JSON document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TextIO

from judgeharness.analysis.intervals import Interval
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.reports.references import ReferenceRow
from judgeharness.reports.verdict import sentences
from judgeharness.store.runs import Run


def write(board: Leaderboard, out: TextIO) -> None:
    """Write `{"runs": [...], "references": [...], "boards": [...]}`. Undefined values are null.

    Runs have their names, counts, metrics and 95 % intervals, the reason if they are outdated, and the reasons if a
    plugin's metric has no value or interval. References are people, baselines, and published results, which have a
    source. Boards have the verdict on their models.
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
    boards = [_verdict(each) for each in board.boards]
    json.dump({"runs": runs, "references": references, "boards": boards}, out, indent=2, allow_nan=False)
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
        "intervals": _ends(intervals),
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
        "against": row.against or "all votes",
        "metrics": dict(row.metrics),
        "intervals": _ends(row.intervals),
    }


def _verdict(board: Board) -> dict[str, Any]:
    found = board.verdict
    return {
        "task": board.task.name,
        "split": board.task.split,
        "n_items": board.task.n_items,
        "metric": None if board.sort is None else board.sort.name,
        "better_than": {} if found is None else {name: list(ids) for name, ids in found.better.items()},
        "at_noise_floor": None if found is None or found.at_floor is None else list(found.at_floor),
        "below_noise_floor": [] if found is None else list(found.below_floor),
        "best": {name: sorted(ids) for name, ids in board.stars.items()},
        "distance_from_uniform": dict(board.flatness),
        "kl_debiased": {
            key: {"value": value, "interval": None if sure is None else [sure.low, sure.high]}
            for key, (value, sure) in board.debiased.items()
        },
        "verdict": list(sentences(board)),
    }


def _ends(intervals: Mapping[str, Interval | None]) -> dict[str, list[float] | None]:
    return {name: None if each is None else [each.low, each.high] for name, each in intervals.items()}
