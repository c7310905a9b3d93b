"""`judgeharness new-task`: creates a task from a JSON-lines file."""

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
@click.option("--name", metavar="NAME", help="Name of the task.  [default: from the name of the file]")
@click.option("--uid", metavar="PATH", help="Field that identifies an item.  [default: guessed]")
@click.option("--votes", metavar="PATH", help="Field with vote counts: an object by label, or a list.")
@click.option("--human", metavar="PATH", help="Field with probabilities: an object by label, or a list.")
@click.option(
    "--annotations",
    metavar="PATH",
    help="Field with a list of labels, or one field per annotator, separated by commas.",
)
@click.option("--labels", metavar="A,B,...", help="Labels in order.  [default: guessed]")
@click.option("--ordinal", is_flag=True, help="The labels have a natural order, such as bad, fair, good.")
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME=PATH",
    help="Text field for the prompt template (repeatable).  [default: guessed]",
)
@click.option("--question", metavar="TEXT", help="Question for the judge.  [default: Which of the options fits best?]")
@click.option("--yes", is_flag=True, help="Accept all guesses without asking.")
def command(file: Path, name: str | None, ordinal: bool, question: str | None, yes: bool, **given: Any) -> None:
    """Create a task from a JSON-lines file.

    Guesses what the fields are, and lets you correct the guesses if it runs in a terminal. Writes FILE.toml and
    FILE.jinja next to the file. If the items cannot be read as a task, it reports the faulty line and writes nothing.

    PATH is the name of a field, with dots for nested fields ("example.premise"). For the human judgments, use at most
    one of --votes, --human and --annotations.
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
    """Ask the user in the terminal, with the guesses as defaults."""
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
