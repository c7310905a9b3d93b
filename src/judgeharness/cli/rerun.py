"""`judgeharness rerun`: a run once more, from its record alone."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click

from judgeharness.cli.executing import WithExecutors, executor_option, given_flags
from judgeharness.cli.parameters import data_dir_option, replaced_option, store_option
from judgeharness.cli.program import Session


@click.command("rerun", cls=WithExecutors)
@click.argument("run_id", metavar="RUN")
@click.option(
    "--into", type=click.Path(dir_okay=False, path_type=Path), metavar="NEW.db", help="Keep what comes out in a store."
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
    metavar="TVD",
    help="How far an item's distribution may be from the stored one; 0.001.",
)
@replaced_option
@executor_option
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@click.pass_context
def command(
    context: click.Context,
    run_id: str,
    into: Path | None,
    tolerance: float | None,
    pairs: tuple[str, ...],
    executor: str,
    form: str,
    data_dir: str | None,
    store: str | None,
) -> int:
    """Make a RUN again from its record alone, and say what differs: figures, and what they depend on.

    Everything is asked anew, into a store of its own, which is thrown away unless it is named with --into. Exit code 1
    where an item's distribution is farther from the stored one than the tolerance.
    """
    from judgeharness import options, rerun
    from judgeharness.cli.eval import prepared, run_all
    from judgeharness.cli.stores import open_store
    from judgeharness.errors import InputError
    from judgeharness.provenance import request_for
    from judgeharness.reports import provenance
    from judgeharness.store.database import store_path

    session, path = context.ensure_object(Session), store_path(store)
    values = options.parse_pairs([*pairs, *given_flags(context)])
    if into is not None and into.exists():
        raise InputError(f"--into {into}: is there already", "a run that is made again goes into a new store")
    with open_store(path) as old:
        then = old.runs.find(run_id)
        request = request_for(then, old, executor, values)
        evaluation = prepared(session, request, data_dir, path)
        with _new_store(into) as target, open_store(target, create=True) as new:
            now = run_all([evaluation], new)[0]
            allowed = rerun.TOLERANCE if tolerance is None else tolerance
            found = rerun.beside(then, old, now, new, allowed)
    if form == "json":
        click.echo(json.dumps(provenance.rerun_document(found), indent=2))
    else:
        from rich.console import Console

        Console().print(provenance.render_rerun(found))
    return int(not found.holds)


@contextlib.contextmanager
def _new_store(into: Path | None) -> Iterator[Path]:
    if into is not None:
        yield into
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "judgeharness.db"
