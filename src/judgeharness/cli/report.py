"""`judgeharness report`: writes one HTML file, from the leaderboard to single items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import OutputFile, data_dir_option, metrics_option, pass_workspace, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Examples:
  judgeharness report -o report.html
  judgeharness report RUN1 RUN2 -o report.html --no-text --title "Two judges"
"""


@click.command("report", epilog=EXAMPLES)
@click.argument("runs", nargs=-1, metavar="[RUN]...")
@click.option(
    "-o",
    "--out",
    required=True,
    type=OutputFile(),
    metavar="FILE.html",
    help="File to write.",
)
@click.option("--title", default="Judges and people", show_default=True, metavar="TEXT", help="Title of the report.")
@click.option("--no-text", is_flag=True, help="Leave out the texts of items, explanations, prompts and answers.")
@click.option(
    "--sort",
    default=DEFAULT_METRIC,
    show_default=True,
    type=ComponentName("metrics"),
    metavar="METRIC",
    help="Metric that ranks the runs.",
)
@metrics_option
@click.option(
    "--task", "task_files", multiple=True, metavar="FILE.toml", help="TOML file of a task of your own (repeatable)."
)
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    runs: tuple[str, ...],
    out: Path,
    title: str,
    no_text: bool,
    sort: str,
    metrics: tuple[str, ...],
    task_files: tuple[str, ...],
) -> None:
    """Write an HTML report.

    It shows the leaderboard, the distributions, single items with every prompt, and how each run was made. RUN is the
    id of a run, or the beginning of it. Without RUN, the report shows all judges in the store.

    The report is one file, loads nothing from the network and opens in any modern browser. Check the licence of the
    data before you share it: --no-text leaves texts out.
    """
    from judgeharness.domain.files import write
    from judgeharness.reports.leaderboard import View
    from judgeharness.reports.page.gather import chosen, gather
    from judgeharness.reports.page.html import render, sections_of
    from judgeharness.reports.text import Console, plain

    registry = workspace.registry
    measures = workspace.measures([*metrics, sort])
    own = {workspace.definition(file).name: file for file in task_files}
    with workspace.open_store() as opened:
        asked = chosen(runs, opened)
        # Before the status line starts, because downloads show a progress bar of their own.
        one_each = {run.task_digest: run for run in asked}
        tasks = {digest: workspace.task_of(run, own.get(run.task)) for digest, run in one_each.items()}
        with Console(stderr=True).status("") as status:
            view = View(sort=sort, published=True)
            found = gather(asked, opened, registry, measures, view, tasks, lambda what: status.update(plain(what)))
            report = replace(found, title=title, with_texts=not no_text)
            page = render(report, sections_of(report, registry))
    write(out, page)
    judges = sum(len(subject.judges) for subject in report.subjects)
    echo(f"{out}: {judges} runs, {out.stat().st_size / 1e6:.1f} MB")
