"""`judgeharness score`: scores predictions that were made elsewhere."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from judgeharness.cli.shared.evaluating import evaluate
from judgeharness.cli.shared.parameters import (
    data_dir_option,
    format_option,
    metrics_option,
    pass_workspace,
    split_option,
    store_option,
    task_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

EXAMPLES = """\b
Example:
  judgeharness score predictions.jsonl --task chaosnli --metric rankcs
"""


@click.command("score", epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@task_option
@click.option("--model", metavar="NAME", help="Model to score, if a file has several.")
@metrics_option
@click.option("--official", is_flag=True, help="Compute the metrics of ChaosNLI's own evaluation, and store nothing.")
@split_option
@data_dir_option
@store_option
@format_option
@pass_workspace
def command(
    workspace: Workspace,
    files: tuple[str, ...],
    task_name: str,
    model: str | None,
    metrics: tuple[str, ...],
    official: bool,
    split: str | None,
    form: str,
) -> int:
    """Score predictions made elsewhere.

    FILE is a .json file in the format of ChaosNLI, a .jsonl file with uid and probabilities, or a .csv file. Every item
    must occur once, with probabilities that sum to 1. Otherwise judgeharness lists what is wrong and scores nothing.

    The result is a run in the store, the same as from 'judgeharness eval --backend file:FILE'.
    """
    from judgeharness.backends.file import SeveralModelsError
    from judgeharness.evaluation.request import Request
    from judgeharness.evaluation.versions import program_arguments

    if official and metrics:
        raise click.UsageError("--official computes its own metrics: leave --metric out")
    request = Request(
        tasks=(task_name,),
        backends=tuple(dict.fromkeys(f"file:{file}" for file in files)),
        metrics=metrics,
        values={} if model is None else {"model": model},
        split=split,
        arguments=program_arguments(),
    )
    try:
        if official:
            return _official(workspace, files, task_name, model, split, form)
        return evaluate(workspace, request, form)
    except SeveralModelsError as error:
        raise SeveralModelsError(error.path, error.models, "--model NAME") from error


def _official(
    workspace: Workspace,
    files: Sequence[str],
    task_name: str,
    model: str | None,
    split: str | None,
    form: str,
) -> int:
    from judgeharness.analysis.official import official
    from judgeharness.backends.file import predictions_file, read_predictions
    from judgeharness.reports import official as report
    from judgeharness.tasks.official import right_labels

    if form not in ("table", "json"):
        raise click.UsageError("--official is written as table or json")
    task = workspace.task(task_name, split)
    right, human = right_labels(task, workspace.folders, workspace.watcher().downloading), task.human
    found = {}
    for file in files:
        rows, predicted = read_predictions(predictions_file(file), model, task.items, task.labels)
        found[file] = official(human, rows, predicted, right)
    if form == "json":
        echo(json.dumps(report.document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(report.render(found))
    return 0
