"""Every run with its metrics, and people, baselines and published results on the same items."""

from __future__ import annotations

from typing import Any

from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.columns import ARROWS
from judgeharness.reports.formats.notes import PRINTED, notes
from judgeharness.reports.formats.rows import Row, rows
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.page.report import Report, Section
from judgeharness.reports.page.templates import asset, html
from judgeharness.reports.text import figure, margin


def section(report: Report) -> Section:
    """Show a table for each set of items, which a script sorts and filters."""
    board = report.leaderboard
    body = html(
        "leaderboard.html.jinja",
        boards=[_board(each, board.metrics) for each in board.boards],
        metrics=[{"spec": spec, "arrow": ARROWS[spec.direction], "range": _range(spec)} for spec in board.metrics],
    )
    return Section("Leaderboard", body, script=asset("leaderboard.js"))


def _board(board: Board, metrics: tuple[MetricSpec, ...]) -> dict[str, Any]:
    task = board.task
    return {
        "title": " · ".join([task.name, *([] if task.split == "all" else [task.split]), board.count]),
        "rows": [_row(row) for row in rows(board, metrics)],
        "ranked": len(board.ranks) > 1,
        "notes": list(notes(board, bool(board.intervals), True)),
    }


def _row(row: Row) -> dict[str, Any]:
    _, way, transform = row.names
    backend = row.backend
    kind = "run" if row.run is not None else "published" if row.source else "reference"
    return {
        "kind": kind,
        "rank": row.rank,
        "names": (f"{backend} {PRINTED}" if row.source else backend, way, transform),
        "filters": (backend, row.strategy, row.transform),
        "failed": f"{row.n_failed:,} of {row.n_items:,} failed" if row.n_failed else "",
        "run": row.run,
        "cells": [
            {
                "value": cell.value,
                "text": figure(cell.value),
                "half": margin(cell.value, cell.interval),
                "best": cell.best,
            }
            for cell in row.cells
        ],
    }


def _range(spec: MetricSpec) -> str:
    low, high = ("" if end is None else f"{end:g}" for end in spec.range)
    return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else "any number"
