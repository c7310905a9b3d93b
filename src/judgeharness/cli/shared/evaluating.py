"""Functions that run evaluations for commands."""

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
    """Run an evaluation, print its leaderboard and return the exit code. Raises HarnessError."""
    from judgeharness.reports.leaderboard import leaderboard

    reporter = workspace.registry.reporters.load(form)
    evaluation = prepared(workspace, request)
    with workspace.open_store(create=True) as opened:
        runs = run_all([evaluation], opened)
        measures, incomplete = evaluation.measures, evaluation.unanswered > 0
        # Frees the items, of which a large task has many; the leaderboard reads them from the store.
        del evaluation
        if request.shard is None or form != "table":
            board = leaderboard(runs, opened.runs, measures)
            incomplete |= any(faults for each in board.boards for faults in each.faults.values())
            reporter(board, sys.stdout)
    return int(incomplete or any(run.n_failed for run in runs))


def prepared(workspace: Workspace, request: Request) -> Evaluation:
    """Return a prepared evaluation: its tasks are read and its backends are described. Raises HarnessError."""
    from judgeharness.evaluation.evaluation import Evaluation

    evaluation = Evaluation(request, workspace)
    evaluation.prepare()
    return evaluation


def run_all(evaluations: Sequence[Evaluation], store: Store, kept: tuple[str, str] = IN_STORE) -> list[Run]:
    """Run evaluations one after the other.

    Args:
        evaluations: Prepared evaluations.
        store: The store that gets the runs.
        kept: For the error if the user stops the program: what is kept, and what the same command does next.

    Raises:
        HarnessError: An evaluation fails or is stopped.
    """
    try:
        scopes = frozenset().union(*(evaluation.scopes for evaluation in evaluations))
        return [run for evaluation in evaluations for run in evaluation.run(store, scopes)]
    except KeyboardInterrupt as error:
        raise stopped(error, kept) from error
