"""`judgeharness eval`: evaluate models as judges."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.executor_flags import WithExecutors, executor_option, given_flags
from judgeharness.cli.shared.parameters import (
    budget_options,
    data_dir_option,
    explanations_option,
    format_option,
    limit_option,
    metrics_option,
    split_option,
    store_option,
)
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.signals import IN_STORE, stopped

if TYPE_CHECKING:
    from pathlib import Path

    from judgeharness.evaluation.evaluation import Evaluation, Request
    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run

EXAMPLES = """\b
Examples:
  judgeharness eval --task nli-sample --backend hf:smollm2 --strategy parallel-explicit
  judgeharness eval --task chaosnli --backend baseline:uniform --backend baseline:mnli-single
"""


@click.command("eval", cls=WithExecutors, epilog=EXAMPLES)
@click.option(
    "--task",
    "tasks",
    multiple=True,
    required=True,
    type=ComponentName("tasks"),
    metavar="NAME|FILE.toml",
    help="A task; repeats.",
)
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="A judge; repeats.",
)
@click.option(
    "--strategy",
    "strategies",
    multiple=True,
    type=ComponentName("strategies"),
    metavar="NAME",
    help="How prompts are made; repeats.",
)
@click.option(
    "--transform",
    "transforms",
    multiple=True,
    type=ComponentName("transforms"),
    metavar="NAME",
    help="Scores to probabilities; repeats. norm and softmax unless given.",
)
@click.option("--temperature", type=float, metavar="TAU", help="Of the softmax transform; 20, as in the paper.")
@metrics_option
@click.option(
    "-o",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="An option of a backend, strategy, transform or executor; repeats.",
)
@executor_option
@click.option("--shard", metavar="I/N", help="Ask the I-th of N parts of the items only, and make no run.")
@budget_options
@explanations_option
@split_option
@limit_option
@data_dir_option
@store_option
@format_option
@click.pass_context
def command(context: click.Context, /, store: str | None, data_dir: str | None, form: str, **given: Any) -> int:
    """Ask models for their judgments, compare them with the human ones, and rank them.

    Everything is kept in the store: the same call again takes what is there, and an interrupted one goes on where it
    stopped. Another transform or metric needs no model at all.
    """
    from judgeharness.backends.contract import Budget
    from judgeharness.domain.errors import InputError
    from judgeharness.evaluation.evaluation import Request
    from judgeharness.evaluation.shards import Shard
    from judgeharness.evaluation.versions import program_arguments
    from judgeharness.plugins import options

    pairs = [*given.pop("pairs"), *given_flags(context)]
    if given["temperature"] is not None and not (math.isfinite(given["temperature"]) and given["temperature"] > 0):
        raise InputError("--temperature: has to be above zero")
    shard = given.pop("shard")
    given = {name: tuple(dict.fromkeys(each)) if isinstance(each, tuple) else each for name, each in given.items()}
    given["budget"] = Budget(given.pop("budget_requests"), given.pop("budget_tokens"))
    given["shard"] = None if shard is None else Shard.parse(shard)
    request = Request(values=options.parse_pairs(pairs), arguments=program_arguments(), **given)
    return evaluate(context.ensure_object(Session), request, data_dir, store, form)


def evaluate(session: Session, request: Request, data_dir: str | None, store: str | None, form: str) -> int:
    """Carry a request out and write its leaderboard; the exit code. Raises HarnessError."""
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.reports.leaderboard import leaderboard
    from judgeharness.store.database import store_path

    reporter = session.registry.reporters.load(form)
    path = store_path(store)
    evaluation = prepared(session, request, data_dir, path)
    with open_store(path, create=True) as opened:
        runs = run_all([evaluation], opened)
        measures, incomplete = evaluation.measures, evaluation.unanswered > 0
        # Its items are many in a large task, and the leaderboard reads its own.
        del evaluation
        if request.shard is None or form != "table":
            board = leaderboard(runs, opened.runs, measures)
            incomplete |= any(faults for each in board.boards for faults in each.faults.values())
            reporter(board, sys.stdout)
    return int(incomplete or any(run.n_failed for run in runs))


def prepared(session: Session, request: Request, data_dir: str | None, store: Path) -> Evaluation:
    """The request with its tasks read and its backends described, watched by the console. Raises HarnessError."""
    from judgeharness.evaluation.evaluation import Evaluation
    from judgeharness.reports.progress import ConsoleWatcher, download_meter
    from judgeharness.tasks.datasets import DataFolders, cache_folder

    folders = DataFolders.from_environment(data_dir)
    evaluation = Evaluation(request, session.registry, folders, cache_folder(), ConsoleWatcher(), store)
    evaluation.prepare(download_meter)
    return evaluation


def run_all(evaluations: Sequence[Evaluation], store: Store, kept: tuple[str, str] = IN_STORE) -> list[Run]:
    """Run them one after the other. Raises HarnessError, if they are stopped with what is kept of them."""
    try:
        scopes = frozenset().union(*(evaluation.scopes for evaluation in evaluations))
        return [run for evaluation in evaluations for run in evaluation.run(store, scopes)]
    except KeyboardInterrupt as error:
        raise stopped(error, kept) from error
