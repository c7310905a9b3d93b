"""`judgeharness plot`: draws stored runs, for print or as a sketch in the terminal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import data_dir_option, pass_workspace, store_option, task_file_option
from judgeharness.cli.shared.pictures import picture_option
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

EXAMPLES = """\b
Examples:
  judgeharness plot ternary RUN1 RUN2 --out ternary.pdf
  judgeharness plot bins RUN1 RUN2 --metric tvd
"""

runs_argument = click.argument("runs", nargs=-1, required=True, metavar="RUN...")


out_option = picture_option("File to write: .png, .svg or .pdf.  [default: a sketch in the terminal]")


@click.group("plot", epilog=EXAMPLES)
def command() -> None:
    """Draw runs, in the terminal or to a file.

    RUN is the id of a run, or the beginning of it.
    """


@command.command("ternary")
@runs_argument
@click.option("--mark", "marked", multiple=True, metavar="UID", help="Item to mark in every triangle (repeatable).")
@out_option
@store_option
@pass_workspace
def ternary_command(workspace: Workspace, runs: tuple[str, ...], marked: tuple[str, ...], out: Path | None) -> None:
    """Draw each item as a point between three labels, for people and judges."""
    from judgeharness.reports.plots import sketch, ternary
    from judgeharness.reports.plots.series import judged

    found = _from_store(workspace, lambda stored: judged(runs, stored.runs))
    _show(out, lambda: ternary.draw(found, marked), lambda: sketch.triangles(found, marked))


@command.command("entropy")
@runs_argument
@out_option
@store_option
@pass_workspace
def entropy_command(workspace: Workspace, runs: tuple[str, ...], out: Path | None) -> None:
    """Draw the entropy of judges against that of people, item by item."""
    from judgeharness.reports.plots import entropy, sketch
    from judgeharness.reports.plots.series import judged

    found = _from_store(workspace, lambda stored: judged(runs, stored.runs))
    _show(out, lambda: entropy.draw(found), lambda: sketch.clouds(found))


@command.command("bins")
@runs_argument
@click.option(
    "--metric",
    default=DEFAULT_METRIC,
    show_default=True,
    type=ComponentName("metrics"),
    metavar="NAME",
    help="Metric to draw.",
)
@click.option(
    "--bins", default=4, show_default=True, type=click.IntRange(2, 20), help="Number of bins of human entropy."
)
@out_option
@store_option
@pass_workspace
def bins_command(workspace: Workspace, runs: tuple[str, ...], metric: str, bins: int, out: Path | None) -> None:
    """Draw a metric on items in bins of human entropy."""
    from judgeharness.reports.plots import bins as plot
    from judgeharness.reports.plots import sketch
    from judgeharness.reports.plots.series import judged

    measure = workspace.measures([metric])[metric]
    found = plot.bins_of(_from_store(workspace, lambda stored: judged(runs, stored.runs)), measure, bins)
    _show(out, lambda: plot.draw(found), lambda: sketch.bars(found))


@command.command("bias")
@runs_argument
@task_file_option
@out_option
@data_dir_option
@store_option
@pass_workspace
def bias_command(
    workspace: Workspace,
    runs: tuple[str, ...],
    task_file: str | None,
    out: Path | None,
) -> None:
    """Draw which letters and explanation positions a judge prefers."""
    from rich.console import Group

    from judgeharness.evaluation.again.replay import bias_of
    from judgeharness.reports import bias as report
    from judgeharness.reports.plots import bias as plot

    registry = workspace.registry

    def measured(stored: Any) -> list[Any]:
        found = [stored.runs.find(run) for run in dict.fromkeys(runs)]
        return [(run, bias_of(run, workspace.task_of(run, task_file), registry, stored)) for run in found]

    found = _from_store(workspace, measured)
    _show(
        out,
        lambda: plot.draw([(run.name, bias) for run, bias in found]),
        lambda: Group(*(report.render(run, bias) for run, bias in found)),
    )


def _from_store(workspace: Workspace, read: Callable[[Any], Any]) -> Any:

    with workspace.open_store() as opened:
        return read(opened)


def _show(out: Path | None, draw: Callable[[], Figure], sketch: Callable[[], RenderableType]) -> None:
    if out is None:
        from judgeharness.reports.text import Console

        Console().print(sketch())
        return
    from judgeharness.reports.plots import paper

    with paper.paper():
        paper.save(draw(), out)
    echo(str(out))
