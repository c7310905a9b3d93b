"""`judgeharness data`: lists, downloads, checks and exports datasets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.parameters import data_dir_option, limit_option, pass_workspace, split_option
from judgeharness.cli.shared.streams import echo, json_line
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.tasks.datasets import Dataset
    from judgeharness.tasks.task import Task


@click.group("data")
def command() -> None:
    """Find, download, check and export datasets."""


@command.command("list")
@data_dir_option
@pass_workspace
def list_datasets(workspace: Workspace) -> None:
    """List datasets, their licences and the location of their files."""
    from rich import box
    from rich.table import Table

    from judgeharness.reports.text import Console, plain
    from judgeharness.tasks.datasets import known_datasets

    folders = workspace.folders
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("dataset", "licence", "size", "files", "where"):
        table.add_column(name, overflow="fold", justify="right" if name == "size" else "left")
    for dataset in known_datasets().values():
        found = [path for file in dataset.files if (path := folders.find(dataset, file)) is not None]
        whole = len(found) == len(dataset.files)
        where = plain(str(found[0].parent)) if whole else plain("not here: 'data fetch' gets it", "yellow")
        size = sum(file.bytes for file in dataset.files)
        names = "\n".join(file.name for file in dataset.files)
        table.add_row(dataset.name, dataset.licence, f"{size / 1e6:.1f} MB", names, where)
    Console().print(table)


@command.command("fetch")
@click.argument("names", nargs=-1)
@click.option("--url", help="Download from this address instead. Needs exactly one NAME. The hashes must match.")
@pass_workspace
def fetch_datasets(workspace: Workspace, names: tuple[str, ...], url: str | None) -> None:
    """Download datasets to the cache.

    Downloads the datasets that you name, or all. Files whose hashes differ from the published ones are not kept.
    """
    from judgeharness.domain.errors import InputError
    from judgeharness.tasks.fetch import fetch

    datasets = _named(names)
    if url is not None and len(names) != 1:
        raise InputError("--url needs the name of one dataset")
    for dataset in datasets:
        for path in fetch(dataset, workspace.folders, workspace.watcher().downloading, url):
            echo(str(path))
        echo(f"licence of {dataset.title}: {dataset.licence}. Please cite it: {dataset.homepage}", err=True)


@command.command("verify")
@click.argument("names", nargs=-1)
@data_dir_option
@pass_workspace
def verify_datasets(workspace: Workspace, names: tuple[str, ...]) -> int:
    """Check files of datasets against their published hashes.

    Checks the datasets that you name, or all. The exit code is 1 if a file differs, but not if it is missing.
    """
    from judgeharness.domain.errors import HarnessError
    from judgeharness.tasks.datasets import verify

    folders = workspace.folders
    wrong = 0
    for dataset in _named(names):
        for file in dataset.files:
            path = folders.find(dataset, file)
            try:
                if path is None:
                    echo(f"missing  {dataset.name}/{file.name}")
                    continue
                verify(path, file)
                echo(f"ok       {path}")
            except HarnessError as error:
                wrong += 1
                echo(f"WRONG    {error.message}")
    return int(wrong > 0)


@command.command("export")
@click.argument("task_name", metavar="TASK")
@split_option
@limit_option
@data_dir_option
@pass_workspace
def export_task(workspace: Workspace, task_name: str, split: str | None, limit: int | None) -> None:
    """Export the items of a task as JSON lines.

    TASK is the name of a task or a TOML file. Each line has the uid, the texts, human (probabilities in label order),
    votes, explanations (text, label, annotator) and references (other label sources).
    """
    for row in _exported(workspace.task(task_name, split, limit)):
        echo(json_line(row))


def _named(names: tuple[str, ...]) -> list[Dataset]:
    from judgeharness.tasks.datasets import dataset_named, known_datasets

    return [dataset_named(name) for name in names] if names else list(known_datasets().values())


def _exported(task: Task) -> list[dict[str, Any]]:
    return [
        {
            "uid": item.uid,
            **item.fields,
            "human": item.human,
            "votes": None if item.votes is None else [int(v) if v.is_integer() else v for v in item.votes],
            "explanations": [
                {"text": each.text, "label": task.labels[each.label].name, "annotator": each.annotator}
                for each in item.explanations
            ],
            "references": dict(item.references),
        }
        for item in task.items
    ]
