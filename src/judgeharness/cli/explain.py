"""`judgeharness explain`: generates explanations for given labels."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import (
    OutputFile,
    budget_options,
    data_dir_option,
    limit_option,
    pass_workspace,
    split_option,
    store_option,
    task_option,
)
from judgeharness.cli.shared.signals import stopped
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.evaluation.explain import Collected

EXAMPLES = """\b
Examples:
  judgeharness explain --task nli-sample --backend hf:smollm2 --limit 4
  judgeharness eval --task nli-sample --limit 4 --backend hf:smollm2 --strategy parallel --explanations SET
"""


@click.command("explain", epilog=EXAMPLES)
@task_option
@click.option(
    "--backend",
    "backend_name",
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="Model that generates the explanations.",
)
@click.option(
    "--labels",
    multiple=True,
    default=("all",),
    show_default=True,
    metavar="all|voted|human|LABEL",
    help="Labels to explain: all, voted (those with votes), human (one per human explanation), or one LABEL "
    "(repeatable).",
)
@click.option(
    "--answer-tokens",
    type=click.IntRange(min=1),
    default=96,
    show_default=True,
    help="Maximum tokens of an explanation.",
)
@click.option(
    "--writing-temperature",
    type=click.FloatRange(0, 10),
    default=0.7,
    show_default=True,
    help="Sampling temperature; 0 takes the most probable tokens.",
)
@click.option(
    "--seed", type=click.IntRange(0, (1 << 31) - 1), default=0, show_default=True, help="Random seed of the sampling."
)
@click.option("-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option of the backend (repeatable).")
@click.option("--out", type=OutputFile(), metavar="FILE", help="Also write the explanations to a JSON-lines file.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json")), default="text", show_default=True, help="Output format."
)
@budget_options
@split_option
@limit_option
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    /,
    task_name: str,
    backend_name: str,
    labels: tuple[str, ...],
    out: Path | None,
    form: str,
    split: str | None,
    limit: int | None,
    **given: Any,
) -> int:
    """Generate explanations for labels with a model.

    Saves them in the store as a set with an id. 'judgeharness eval --explanations ID' shows this set in its prompts
    instead of the explanations by people. Generated explanations are cached, so an interrupted command resumes.
    """
    from judgeharness.domain.nouns import Decoding
    from judgeharness.evaluation.components import choose_backend, require_known
    from judgeharness.evaluation.explain import Explaining, write_explanations
    from judgeharness.evaluation.versions import program_arguments, session_record
    from judgeharness.plugins import options

    watcher = workspace.watcher("texts")
    choice = choose_backend(workspace.registry, backend_name)
    values = options.parse_pairs(given["pairs"])
    require_known(values, [choice])
    task = workspace.task(task_name, split, limit)
    decoding = Decoding(given["answer_tokens"], given["writing_temperature"], given["seed"])
    asked = Explaining(tuple(dict.fromkeys(labels)), decoding)
    asked.check(task)
    backend = choice.open(values, workspace.backend_context(watcher))
    record = session_record(program_arguments(), workspace.registry.plugins)
    with workspace.open_store(create=True) as opened:
        try:
            found = write_explanations(task, asked, backend, opened, record, watcher, given["budget"])
        except KeyboardInterrupt as error:
            raise stopped(error) from error
    if out is not None:
        _write(out, found)
    echo(json.dumps(_document(found), indent=2) if form == "json" else _line(found))
    return int(bool(found.failed))


def _document(found: Collected) -> dict[str, Any]:
    given = found.explanations
    return {
        "id": given.id,
        "name": given.name,
        "n_items": len(given.by_uid),
        "n_failed": found.failed,
        "explanations": given.count,
        "blank": found.blank,
        "cut": found.cut,
        "origin": dict(given.origin),
    }


def _line(found: Collected) -> str:
    given = found.explanations
    parts = [f"{given.count:,} explanations of {len(given.by_uid):,} items by {given.name}"]
    parts += [f"{found.blank:,} texts were blank"] if found.blank else []
    parts += [f"{found.cut:,} were truncated"] if found.cut else []
    parts += [f"{found.failed:,} items failed"] if found.failed else []
    return f"{'; '.join(parts)}\nuse them with --explanations {given.id}"


def _write(path: Path, found: Collected) -> None:
    from judgeharness.domain.escaping import json_text
    from judgeharness.domain.files import replacing

    with replacing(path) as out:
        for uid, shown in found.explanations.by_uid.items():
            entries = [{"text": each.text, "label": each.label} for each in shown]
            out.write(json_text({"uid": uid, "explanations": entries}).encode() + b"\n")
