"""`judgeharness verify`: a sample of a run's stored answers, asked again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from judgeharness.cli.parameters import data_dir_option, replaced_option, store_option
from judgeharness.cli.program import Session

if TYPE_CHECKING:
    from judgeharness.components import OpenBackend
    from judgeharness.provenance import Origin
    from judgeharness.registry import Registry
    from judgeharness.tasks.task import Task


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
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@data_dir_option
@store_option
@click.pass_context
def command(
    context: click.Context,
    run_id: str,
    sample: int | None,
    seed: int,
    tolerance: float | None,
    pairs: tuple[str, ...],
    form: str,
    data_dir: str | None,
    store: str | None,
) -> int:
    """Ask for a sample of a RUN's answers again, with the model as it is now, and compare them with the stored ones.

    The store is not written. Exit code 1 where an answer differs: distributions beyond the tolerance, texts in any
    letter.
    """
    from judgeharness import options, verify
    from judgeharness.backends.contract import BackendContext, Model
    from judgeharness.cli.stores import open_store
    from judgeharness.cli.watching import ConsoleWatcher, download_meter
    from judgeharness.components import backend_spec, component, open_backend, task_definition
    from judgeharness.errors import InputError
    from judgeharness.explanations import explained
    from judgeharness.provenance import changes, origin_of, request_for
    from judgeharness.reports import provenance
    from judgeharness.tasks.datasets import DataFolders, cache_folder
    from judgeharness.tasks.task import load_task

    registry, watcher = context.ensure_object(Session).registry, ConsoleWatcher()
    with open_store(store) as opened:
        run = opened.runs.find(run_id)
        more = options.parse_pairs(pairs)
        scheme = backend_spec(registry, run.backend)[0].name
        options.require_known(more, {f"backend {scheme}": registry.backends.load_options(scheme)})
        request = request_for(run, opened, more=more)
        if run.strategy is None:
            raise InputError(f"run {run.id} of {run.backend} asked no prompts", "'judgeharness rerun' makes it again")
        strategy = component(registry.strategies, run.strategy, request.values).part
        transform = None
        if run.transform is not None:
            values = options.with_temperature(request.values, request.temperature)
            transform = component(registry.transforms, run.transform, values).part
        definition = task_definition(registry, request.tasks[0])
        task = load_task(definition, DataFolders.from_environment(data_dir), download_meter, run.split)
        given = run.record.get("explanations")
        task = explained(task.limited(request.limit), None if given is None else opened.explanations.find(given["set"]))
        uids = verify.sampled(opened.runs.predictions(run.id), sample or verify.SAMPLE, seed)
        if not uids:
            raise InputError(f"run {run.id} has no stored answers", "'judgeharness rerun' makes it again")
        kept = list(verify.kept_answers(run, task, strategy, uids, opened.answers))
        backend = open_backend(registry, run.backend, request.values, BackendContext(cache_folder(), watcher.note))
        watcher.started(
            f"{task.name} · {run.backend}", sum(len(each.group.prompts) for _, all_ in kept for each in all_)
        )
        try:
            checked = verify.check(backend, kept, transform, watcher.advanced)
            then = origin_of(run, opened)
            found = verify.Verified(
                run,
                checked,
                changes(then, _now(then, backend, task, registry)),
                verify.TOLERANCE if tolerance is None else tolerance,
            )
        finally:
            watcher.finished()
            if isinstance(backend.part, Model):
                backend.part.close()
    if form == "json":
        click.echo(json.dumps(provenance.verified_document(found), indent=2))
    else:
        from rich.console import Console

        Console().print(provenance.render_verified(found))
    return int(not found.holds)


def _now(then: Origin, backend: OpenBackend, task: Task, registry: Registry) -> Origin:
    """What a run would depend on now."""
    from dataclasses import replace

    from judgeharness.backends.contract import Model
    from judgeharness.provenance import versions_of
    from judgeharness.record import session_record

    environment = backend.part.environment() if isinstance(backend.part, Model) else {}
    template = {"name": task.template.name, "sha256": task.template.sha256}
    return replace(
        then,
        backend={**backend.description, "environment": environment},
        data={"items": task.digest, "files": dict(task.files)},
        prompts={**then.prompts, "template": template},
        versions=versions_of(session_record((), registry.plugins)),
    )
