"""Carrying out requests, for the commands that do so."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from judgeharness.cli.shared.signals import IN_STORE, stopped
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.evaluation.evaluation import Evaluation
    from judgeharness.evaluation.request import Request
    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run


def evaluate(workspace: Workspace, request: Request, form: str) -> int:
    """Carry a request out and write its leaderboard. Returns the exit code. Raises HarnessError."""
    from judgeharness.reports.leaderboard import leaderboard

    reporter = workspace.registry.reporters.load(form)
    evaluation = prepared(workspace, request)
    with workspace.open_store(create=True) as opened:
        runs = run_all([evaluation], opened)
        measures, incomplete = evaluation.measures, evaluation.unanswered > 0
        # Its items are many in a large task, and the leaderboard reads its own.
        del evaluation
        if request.shard is None or form != "table":
            board = leaderboard(runs, opened.runs, measures)
            incomplete |= any(faults for each in board.boards for faults in each.faults.values())
            reporter(board, sys.stdout)
    return int(incomplete or any(run.n_failed for run in runs))


def prepared(workspace: Workspace, request: Request) -> Evaluation:
    """Return the request with its tasks read and its backends described. Raises HarnessError."""
    from judgeharness.evaluation.evaluation import Evaluation

    evaluation = Evaluation(request, workspace)
    evaluation.prepare()
    return evaluation


def run_all(evaluations: Sequence[Evaluation], store: Store, kept: tuple[str, str] = IN_STORE) -> list[Run]:
    """Run evaluations one after the other. Raises HarnessError, if they are stopped with what is kept of them."""
    try:
        scopes = frozenset().union(*(evaluation.scopes for evaluation in evaluations))
        return [run for evaluation in evaluations for run in evaluation.run(store, scopes)]
    except KeyboardInterrupt as error:
        raise stopped(error, kept) from error
