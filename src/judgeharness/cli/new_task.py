"""`judgeharness new-task`: a task from a JSON-lines file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from judgeharness.cli.shared.parameters import InputFile
from judgeharness.cli.shared.streams import echo
from judgeharness.domain.names import NAME

if TYPE_CHECKING:
    from judgeharness.tasks.draft import Draft
    from judgeharness.tasks.guess import Guess
    from judgeharness.tasks.task import Task

LOOKED_AT = 2_000
FEW_LABELS = 4
EXAMPLES = """\b
Examples:
  judgeharness new-task replies.jsonl
  judgeharness new-task replies.jsonl --votes ratings --labels polite,rude --field reply=text --yes
"""


@click.command("new-task", epilog=EXAMPLES)
@click.argument("file", type=InputFile(), metavar="FILE.jsonl")
@click.option("--name", metavar="NAME", help="Of the task; the file's unless given.")
@click.option("--uid", metavar="PATH", help="The field that tells items apart.")
@click.option("--votes", metavar="PATH", help="Counts: an object by label, or a list.")
@click.option("--human", metavar="PATH", help="Probabilities: an object by label, or a list.")
@click.option(
    "--annotations",
    metavar="PATH",
    help="A list of labels, one an annotator; or a field for each annotator, with commas.",
)
@click.option("--labels", metavar="A,B,...", help="The labels in their order.")
@click.option("--ordinal", is_flag=True, help="The labels' order means something, as of bad, fair, good.")
@click.option("--field", "fields", multiple=True, metavar="NAME=PATH", help="A text for the template; repeats.")
@click.option("--question", metavar="TEXT", help="What a judge is asked.")
@click.option("--yes", is_flag=True, help="Take the guesses; ask nothing.")
def command(
    file: Path,
    name: str | None,
    uid: str | None,
    votes: str | None,
    human: str | None,
    annotations: str | None,
    labels: str | None,
    ordinal: bool,
    fields: tuple[str, ...],
    question: str | None,
    yes: bool,
) -> None:
    """Look at a file, ask or guess what its fields are, and write a task beside it: FILE.toml and FILE.jinja.

    PATH is a field's name, with dots for what is inside another ("example.premise"). Questions are asked on a terminal
    only. The task is read before anything is kept: a fault is named with its line.
    """
    from judgeharness.domain.names import readable
    from judgeharness.tasks.draft import DEFAULT_QUESTION, Draft

    sources = {"votes": votes, "human": human, "annotations": annotations}
    known = _known(file, uid, sources, labels, fields)
    asks = sys.stdin.isatty() and not yes
    if asks:
        known, question = _asked(known, question, DEFAULT_QUESTION)
    draft = Draft(
        name or _name(file.stem),
        name or file.stem,
        file.name,
        f"{file.stem}.jinja",
        readable(question or DEFAULT_QUESTION),
        known,
        ordinal,
    )
    _require_complete(known, file)
    _show(_written(draft, file), file.with_suffix(".toml"))


def _known(
    file: Path, uid: str | None, sources: Mapping[str, str | None], labels: str | None, fields: tuple[str, ...]
) -> Guess:
    """The guess, with what was given in its place. Raises InputError."""
    from itertools import islice

    from judgeharness.domain.errors import InputError
    from judgeharness.tasks.guess import guess
    from judgeharness.tasks.records import read_records

    records = [record.values for record in islice(read_records(file), LOOKED_AT)]
    if not records:
        raise InputError(f"{file}: holds no records", "a task is made from JSON lines: one object a line")
    given = {kind: path for kind, path in sources.items() if path is not None}
    if len(given) > 1:
        raise InputError("give one of --votes, --human and --annotations")
    known = guess(records)
    for kind, words in given.items():
        paths = tuple(each.strip() for each in words.split(","))
        narrow = guess([{path.replace(".", "_"): _at(record, path) for path in paths} for record in records])
        source = paths if len(paths) > 1 else paths[0]
        known = replace(known, kind=kind, source=source, labels=narrow.labels, unsure=narrow.unsure)
    if labels is not None:
        known = _labelled(known, [each.strip() for each in labels.split(",")])
    if fields:
        known = replace(known, fields=_pairs(fields))
    return replace(known, uid=uid or known.uid)


def _at(record: Mapping[str, object], path: str) -> object:
    """What stands at a path, or None."""
    value: object = record
    for part in path.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _labelled(known: Guess, labels: list[str]) -> Guess:
    from judgeharness.domain.errors import InputError

    if not all(labels) or len(set(labels)) < len(labels):
        raise InputError("--labels: two are alike, or one is empty", "write them with commas: --labels good,fair,bad")
    if isinstance(known.source, Mapping):
        missing = set(known.source) ^ set(labels)
        if missing:
            raise InputError(f"--labels: {', '.join(sorted(missing))} has no column, or is none of the labels")
        return replace(known, source={label: known.source[label] for label in labels}, labels=tuple(labels))
    if known.unsure and len(labels) != len(known.labels):
        raise InputError(f"--labels: {len(labels)} labels for lists of {len(known.labels)} numbers")
    return replace(known, labels=tuple(labels), unsure=False)


def _pairs(fields: tuple[str, ...]) -> dict[str, str]:
    from judgeharness.domain.errors import InputError

    found: dict[str, str] = {}
    for pair in fields:
        name, sign, path = pair.partition("=")
        if not sign or not re.fullmatch(r"[A-Za-z_]\w*", name) or not path:
            raise InputError(f"--field {pair}: not of the form NAME=PATH", "a name has letters, digits and underscores")
        found[name] = path
    return found


def _asked(known: Guess, question: str | None, default: str) -> tuple[Guess, str]:
    """What a person at the terminal says, with the guesses to be taken by pressing return."""
    from judgeharness.domain.escaping import safe

    uid = click.prompt("Which field tells items apart?", default=known.uid or "")
    kind = click.prompt(
        "How do people's judgments stand in it?",
        type=click.Choice(("votes", "human", "annotations")),
        default=known.kind or "votes",
    )
    source = known.source
    if source is None or isinstance(source, str):
        source = click.prompt("In which field?", default=source or "")
    labels = click.prompt("The labels, in their order", default=safe(", ".join(known.labels)))
    fields = click.prompt(
        "Texts that the judge reads, NAME=FIELD with commas",
        default=safe(", ".join(f"{name}={path}" for name, path in known.fields.items())),
    )
    asked = click.prompt("What is the judge asked?", default=question or default)
    told = replace(known, uid=uid, kind=kind, source=source)
    told = _labelled(told, [each.strip() for each in labels.split(",")])
    pairs = tuple(each.strip() for each in fields.split(",") if each.strip())
    return replace(told, fields=_pairs(pairs)), asked


def _require_complete(known: Guess, file: Path) -> None:
    from judgeharness.domain.errors import InputError
    from judgeharness.domain.nouns import LETTERS

    lacks = {
        "no field tells its items apart: give --uid": known.uid is None,
        "no field holds votes: give --votes, --human or --annotations": known.kind is None,
        "the labels have no names: give --labels": known.unsure,
        f"{len(known.labels)} labels, where 2 to {len(LETTERS)} can be asked: give --labels": not (
            2 <= len(known.labels) <= len(LETTERS)
        ),
        "no texts for the judge: give --field NAME=PATH": not known.fields,
    }
    for reason, is_so in lacks.items():
        if is_so:
            raise InputError(f"{file}: {reason}", "'judgeharness new-task --help' shows the forms that are understood")


def _name(stem: str) -> str:
    """A task's name from a file's."""
    name = re.sub(r"[^a-z0-9._-]+", "-", stem.lower()).strip("-._") or "task"
    return name if NAME.fullmatch(name) else "task"


def _written(draft: Draft, file: Path) -> Task:
    """The task, read from the files that were written; they are taken back where it cannot be. Raises HarnessError."""
    from judgeharness.domain.errors import InputError
    from judgeharness.domain.files import is_file, read_bytes, write
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.definition import read_definition
    from judgeharness.tasks.draft import task_toml, wording
    from judgeharness.tasks.fetch import silent_meter
    from judgeharness.tasks.task import load_task

    texts = {file.parent / draft.template: wording(draft), file.with_suffix(".toml"): task_toml(draft)}
    # What a killed call has written is the same.
    there = [path for path in texts if os.path.lexists(path)]
    for path in there:
        if not is_file(path) or read_bytes(path) != texts[path].encode():
            raise InputError(f"{path}: is there already", "nothing was written; move it away, or rename the data")
    try:
        for path, text in texts.items():
            write(path, text)
        task = load_task(read_definition(file.with_suffix(".toml")), DataFolders.from_environment(), silent_meter)
        task.template.render(task.items[0], task.labels, range(len(task.labels)))
        return task
    except BaseException:
        for path in set(texts).difference(there):
            path.unlink(missing_ok=True)
        raise


def _show(task: Task, path: Path) -> None:

    labels = ", ".join(label.name for label in task.labels)
    explained = sum(bool(item.explanations) for item in task.items)
    echo(f"{path}: {len(task.items):,} items, {len(task.labels)} labels ({labels})")
    if explained:
        echo(f"{explained:,} of them have explanations")
    echo(f"the wording is in {path.with_suffix('.jinja')}; its first prompt:\n")
    first = task.template.render(task.items[0], task.labels, range(len(task.labels)))
    echo("\n".join(f"  {line}" for message in first for line in message.content.splitlines()))
    few = "" if len(task.labels) <= FEW_LABELS else " -o option_orders=cyclic"
    echo(f"\nNext:\n  judgeharness eval --task {path} --backend hf:smollm2 --strategy no-explanation{few}")
