"""Options of the commands that run suites, and the function behind them."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.evaluating import prepared, run_all
from judgeharness.cli.shared.executor_flags import executor_option
from judgeharness.cli.shared.parameters import (
    budget_options,
    data_dir_option,
    format_option,
    limit_option,
    store_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.cli.shared.trusting import settled, trust_option
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.evaluation.evaluation import Evaluation
    from judgeharness.evaluation.suites import Suite
    from judgeharness.plugins.registry import Registry
    from judgeharness.reports.leaderboard import Leaderboard
    from judgeharness.store.database import Store

Command = TypeVar("Command", bound=Callable[..., Any])

REPORT, TABLES = "report.md", "tables.tex"


def suite_options(command: Command) -> Command:
    """Add the options that all commands for suites have."""
    options = (
        click.option(
            "--backend",
            "backends",
            multiple=True,
            type=ComponentName("backends"),
            metavar="SCHEME:MODEL",
            help="Model for the evaluations that name no backend (repeatable).",
        ),
        click.option(
            "--strategy",
            "strategies",
            multiple=True,
            type=ComponentName("strategies"),
            metavar="NAME",
            help="Run only this strategy of the suite (repeatable).",
        ),
        click.option(
            "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option for the same evaluations (repeatable)."
        ),
        click.option(
            "--report",
            type=click.Path(path_type=Path, file_okay=False),
            metavar="DIR",
            help="Folder for the report.  [default: ./NAME, with the name of the suite]",
        ),
        executor_option,
        trust_option,
        budget_options,
        limit_option,
        data_dir_option,
        store_option,
        format_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def carry_out(
    workspace: Workspace,
    suite: Suite,
    words: Sequence[str],
    /,
    *,
    report: Path | None,
    form: str,
    **given: Any,
) -> int:
    """Run a suite, print its leaderboard, write its report and return the exit code.

    Args:
        workspace: Plugins, data folders and store.
        suite: The suite.
        words: The command and the name of the suite, as typed.
        report: The folder of the report.
        form: The format of the leaderboard.
        given: The other options of `suite_options`.

    Raises:
        HarnessError: An evaluation fails or is stopped, or the report cannot be written.
    """
    from judgeharness.evaluation.versions import program_arguments
    from judgeharness.plugins import options
    from judgeharness.reports.suite.gather import board_of

    reporter = workspace.registry.reporters.load(form)
    backends, strategies, limit = tuple(dict.fromkeys(given["backends"])), given["strategies"], given["limit"]
    values, executor = options.parse_pairs(given["pairs"]), given["executor"]
    placing = options.accepted(workspace.registry.executors.load_options(executor), values)
    proposals = suite.requests(backends, strategies, values, limit, program_arguments())
    wanted = settled([each.on(executor, placing) for each in proposals], workspace.registry, given["trusted"])
    requests = [replace(request, budget=given["budget"]) for request in wanted]
    folder = report or Path(suite.name)
    _require_report(folder)
    evaluations = [prepared(workspace, request) for request in requests]
    with workspace.open_store(create=True) as opened:
        runs = run_all(evaluations, opened)
        board = board_of(suite, runs, opened, evaluations[0].measures)
        reporter(board, sys.stdout)
        asked = [*words, *_repeated("--backend", backends), *_repeated("--strategy", strategies)]
        asked += [*_repeated("-o", given["pairs"]), *([] if limit is None else ["--limit", str(limit)])]
        _write_report(
            folder, suite, shlex.join(["judgeharness", *asked]), board, opened, evaluations, workspace.registry
        )
    return int(any(run.n_failed for run in runs))


def _write_report(
    folder: Path,
    suite: Suite,
    asked: str,
    board: Leaderboard,
    store: Store,
    evaluations: Sequence[Evaluation],
    registry: Registry,
) -> None:
    from judgeharness.domain.errors import MissingExtraError
    from judgeharness.domain.files import make_folder, write
    from judgeharness.reports.suite.figures import draw_all
    from judgeharness.reports.suite.gather import gather
    from judgeharness.reports.suite.report import latex, markdown

    measures = evaluations[0].measures
    report = gather(suite, asked, board, store, measures)
    make_folder(folder)
    write(folder / TABLES, latex(report))
    tasks = {task.digest: task for each in evaluations for task in each.tasks}
    try:
        plots = draw_all(folder, board, store, tasks, measures[suite.sort], registry)
        report = replace(report, plots=plots)
    except MissingExtraError as error:
        echo(f"no plots: {'; '.join(error.lines())}", err=True)
    finally:
        # The rest of the report is written even if a plot fails.
        write(folder / REPORT, markdown(report))
    echo(f"the report is {folder / REPORT}", err=True)


def _require_report(folder: Path) -> None:
    """Raise InputError if the report cannot be written. Called before any model runs."""
    from judgeharness.domain.files import require_folder, require_place

    require_folder(folder)
    if folder.is_dir():
        for name in (REPORT, TABLES):
            require_place(folder / name)


def _repeated(option: str, values: Sequence[str]) -> list[str]:
    return [word for value in values for word in (option, value)]
