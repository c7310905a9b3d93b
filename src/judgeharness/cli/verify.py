"""`judgeharness verify`: checks a sample of the stored answers of a run."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.parameters import (
    data_dir_option,
    pass_workspace,
    replaced_option,
    report_format_option,
    store_option,
)
from judgeharness.cli.shared.streams import echo
from judgeharness.cli.shared.trusting import settled, trust_option
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.specs import Kind


@click.command("verify")
@click.argument("run_id", metavar="RUN")
@click.option("--sample", type=click.IntRange(min=1), metavar="N", help="Number of items to ask again.  [default: 8]")
@click.option("--seed", type=int, default=0, show_default=True, help="Random seed for the choice of items.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="TVD",
    help="Largest distance allowed between the new and the stored distribution of an item.  [default: 0.001]",
)
@replaced_option
@trust_option
@report_format_option
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
    """Check stored answers by asking the model again.

    Draws items of the RUN at random, asks the model as it is now, and compares its answers with the stored ones. The
    store is not changed. The exit code is 1 if an answer is missing or differs: a text in any character, a distribution
    by more than the tolerance.

    A store may come from anybody. If the record asks to run code, contact an address, send a secret or start a program,
    you must allow it: use --trust, or answer the question in the terminal. Your own -o options need no --trust.
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
