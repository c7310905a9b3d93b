"""`judgeharness new-task`: a task from a JSON-lines file."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.parameters import InputFile
from judgeharness.cli.shared.streams import echo

if TYPE_CHECKING:
    from judgeharness.tasks.guess import Guess
    from judgeharness.tasks.task import Task

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
def command(file: Path, name: str | None, ordinal: bool, question: str | None, yes: bool, **given: Any) -> None:
    """Look at a file, ask or guess what its fields are, and write a task beside it: FILE.toml and FILE.jinja.

    PATH is a field's name, with dots for what is inside another ("example.premise"). Questions are asked on a terminal
    only. The task is read before anything is kept: a fault is named with its line.
    """
    from judgeharness.domain.names import readable
    from judgeharness.tasks import new_task
    from judgeharness.tasks.draft import DEFAULT_QUESTION, Draft

    sources = {kind: given[kind] for kind in ("votes", "human", "annotations")}
    known = new_task.known_of(file, given["uid"], sources, given["labels"], given["fields"])
    asks = sys.stdin.isatty() and not yes
    if asks:
        known, question = _asked(known, question, DEFAULT_QUESTION)
    draft = Draft(
        name or new_task.task_name(file.stem),
        name or file.stem,
        file.name,
        f"{file.stem}.jinja",
        readable(question or DEFAULT_QUESTION),
        known,
        ordinal,
    )
    new_task.require_complete(known, file)
    _show(new_task.written(draft, file), file.with_suffix(".toml"))


def _asked(known: Guess, question: str | None, default: str) -> tuple[Guess, str]:
    """What a person at the terminal says, with the guesses to be taken by pressing return."""
    from judgeharness.domain.escaping import safe
    from judgeharness.tasks import new_task

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
    told = new_task.labelled(told, [each.strip() for each in labels.split(",")])
    pairs = tuple(each.strip() for each in fields.split(",") if each.strip())
    return replace(told, fields=new_task.named_fields(pairs)), asked


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
