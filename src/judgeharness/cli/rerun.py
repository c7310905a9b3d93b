"""`judgeharness rerun`: repeats a run from its record."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.executor_flags import WithExecutors, executor_option, given_flags
from judgeharness.cli.shared.parameters import (
    NewStore,
    data_dir_option,
    pass_workspace,
    replaced_option,
    report_format_option,
    store_option,
)
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
@click.option("--into", type=NewStore(), metavar="NEW.db", help="Keep the new run in this store.")
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="TVD",
    help="Largest distance allowed between the new and the stored distribution of an item.  [default: 0.001]",
)
@replaced_option
@trust_option
@executor_option
@report_format_option
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
    """Repeat a run from its record and show what differs.

    Asks the model about every item again, and compares metrics, distributions and what they depend on, such as
    versions. The new run goes to a store of its own, which is deleted unless you name it with --into. The exit code is
    1 if a distribution is missing or differs by more than the tolerance.

    A store may come from anybody. If the record asks to run code, contact an address, send a secret or start a program,
    you must allow it: use --trust, or answer the question in the terminal. Your own -o options need no --trust.
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
    """Open a new store for a rerun. what: everything that the rerun depends on."""
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
