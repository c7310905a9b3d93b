"""`judgeharness verify`: a sample of a run's stored answers, asked again."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import data_dir_option, pass_workspace, replaced_option, store_option
from judgeharness.cli.shared.streams import echo
from judgeharness.cli.shared.trusting import settled, trust_option
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.specs import Kind


@click.command("verify")
@click.argument("run_id", metavar="RUN")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="How many items are asked again; 8.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the draw of the items.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="TVD",
    help="How far an item's distribution may be from the stored one; 0.001.",
)
@replaced_option
@trust_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    run_id: str,
    sample: int | None,
    seed: int,
    tolerance: float | None,
    pairs: tuple[str, ...],
    trusted: frozenset[Kind],
    form: str,
) -> int:
    """Ask for a sample of a RUN's answers again, with the model as it is now, and compare them with the stored ones.

    The store is not written. Exit code 1 where an answer differs: distributions beyond the tolerance, texts in any
    letter.

    A store may come from anybody. If its record asks to run code, contact an address, send a secret or start a program,
    you have to allow it: with --trust, or by answering a question on a terminal. Your own -o needs no --trust.
    """
    from judgeharness.evaluation.again import verify
    from judgeharness.evaluation.again.origin import request_for
    from judgeharness.evaluation.components import choose_backend, require_known
    from judgeharness.plugins import options
    from judgeharness.reports import provenance

    with workspace.open_store() as opened:
        run, values = opened.runs.find(run_id), options.parse_pairs(pairs)
        require_known(values, [choose_backend(workspace.registry, run.backend)])
        request = settled([request_for(run, opened, more=values)], workspace.registry, trusted)[0]
        drawn = verify.Sample(sample or verify.SAMPLE, seed)
        found = verify.verify(
            run, request, opened, workspace, drawn, verify.TOLERANCE if tolerance is None else tolerance
        )
    if form == "json":
        echo(json.dumps(provenance.verified_document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(provenance.render_verified(found))
    return int(not found.holds)
