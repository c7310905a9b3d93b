"""`judgeharness rerun`: a run once more, from its record alone."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.executor_flags import WithExecutors, executor_option, given_flags
from judgeharness.cli.shared.parameters import NewStore, data_dir_option, pass_workspace, replaced_option, store_option
from judgeharness.cli.shared.signals import RESUMES
from judgeharness.cli.shared.streams import echo
from judgeharness.cli.shared.trusting import settled, trust_option
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.specs import Kind

if TYPE_CHECKING:
    from judgeharness.store.database import Store

KEPT = ("what was done is kept", RESUMES)
THROWN_AWAY = ("nothing is kept without --into NEW.db", "the same command begins anew")


@click.command("rerun", cls=WithExecutors)
@click.argument("run_id", metavar="RUN")
@click.option("--into", type=NewStore(), metavar="NEW.db", help="Keep what comes out in a store.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="TVD",
    help="How far an item's distribution may be from the stored one; 0.001.",
)
@replaced_option
@trust_option
@executor_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    run_id: str,
    into: Path | None,
    tolerance: float | None,
    pairs: tuple[str, ...],
    trusted: frozenset[Kind],
    executor: str,
    form: str,
) -> int:
    """Make a RUN again from its record alone, and say what differs: figures, and what they depend on.

    Everything is asked anew, into a store of its own, which is thrown away unless it is named with --into. Exit code 1
    where an item's distribution is farther from the stored one than the tolerance.

    A store may come from anybody. If its record asks to run code, contact an address, send a secret or start a program,
    you have to allow it: with --trust, or by answering a question on a terminal. Your own -o needs no --trust.
    """
    from judgeharness.cli.shared.evaluating import prepared, run_all
    from judgeharness.evaluation.again import rerun
    from judgeharness.evaluation.again.origin import request_for
    from judgeharness.plugins import options
    from judgeharness.reports import provenance

    values = options.parse_pairs([*pairs, *given_flags()])
    with workspace.open_store() as old:
        then = old.runs.find(run_id)
        request = settled([request_for(then, old, executor, values)], workspace.registry, trusted)[0]
        evaluation = prepared(workspace, request)
        with _new_store(into, [then.id, executor, values]) as new:
            now = run_all([evaluation], new, THROWN_AWAY if into is None else KEPT)[0]
            allowed = rerun.TOLERANCE if tolerance is None else tolerance
            found = rerun.beside(then, old, now, new, allowed)
    if form == "json":
        echo(json.dumps(provenance.rerun_document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(provenance.render_rerun(found))
    return int(not found.holds)


@contextlib.contextmanager
def _new_store(into: Path | None, what: Sequence[Any]) -> Iterator[Store]:
    """A store for a rerun; what: all that it depends on."""
    from judgeharness.domain.hashes import digest
    from judgeharness.domain.scratch import UNFINISHED, resumable, scratch
    from judgeharness.store.database import Store, new_store

    if into is None:
        with scratch() as folder, Store.open(folder / "judgeharness.db") as store:
            yield store
        return
    work = into.absolute().parent / f".rerun-{digest([into.name, *what])[:16]}{UNFINISHED}"
    with resumable(work, f"the rerun into {into}"), new_store(into, work) as store:
        yield store
