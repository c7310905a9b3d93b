"""`judgeharness verify`: a sample of a run's stored answers, asked again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from judgeharness.cli.shared.parameters import data_dir_option, replaced_option, store_option
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.streams import echo
from judgeharness.cli.shared.trusting import settled, trust_option
from judgeharness.plugins.specs import Kind

if TYPE_CHECKING:
    from judgeharness.evaluation.again.origin import Origin
    from judgeharness.evaluation.again.verify import Kept
    from judgeharness.evaluation.components import OpenBackend
    from judgeharness.evaluation.evaluation import Request
    from judgeharness.plugins.registry import Registry
    from judgeharness.reports.progress import ConsoleWatcher
    from judgeharness.store.database import Store
    from judgeharness.store.runs import Run
    from judgeharness.strategies.contract import Strategy
    from judgeharness.tasks.task import Task
    from judgeharness.transforms.contract import Transform


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
@click.pass_context
def command(
    context: click.Context,
    run_id: str,
    sample: int | None,
    seed: int,
    tolerance: float | None,
    pairs: tuple[str, ...],
    trusted: frozenset[Kind],
    form: str,
    data_dir: str | None,
    store: str | None,
) -> int:
    """Ask for a sample of a RUN's answers again, with the model as it is now, and compare them with the stored ones.

    The store is not written. Exit code 1 where an answer differs: distributions beyond the tolerance, texts in any
    letter.

    A store may come from anybody. If its record asks to run code, contact an address, send a secret or start a program,
    you have to allow it: with --trust, or by answering a question on a terminal. Your own -o needs no --trust.
    """
    from judgeharness.backends.contract import BackendContext
    from judgeharness.cli.shared.stores import open_store
    from judgeharness.evaluation.again import verify
    from judgeharness.evaluation.again.origin import changes, origin_of, request_for
    from judgeharness.evaluation.components import open_backend
    from judgeharness.plugins import options
    from judgeharness.reports import provenance
    from judgeharness.reports.progress import ConsoleWatcher
    from judgeharness.tasks.datasets import cache_folder

    registry, watcher = context.ensure_object(Session).registry, ConsoleWatcher()
    with open_store(store) as opened:
        run = opened.runs.find(run_id)
        proposal = request_for(run, opened, more=_known(run, options.parse_pairs(pairs), registry))
        request = settled([proposal], registry, trusted)[0]
        strategy, transform = _parts(run, request, registry)
        task = _task(run, request, opened, registry, data_dir)
        kept = _sampled(run, task, strategy, opened, sample, seed)
        backend = open_backend(registry, run.backend, request.values, BackendContext(cache_folder(), watcher.note))
        then = origin_of(run, opened)
        with _watched(backend, kept, task, watcher):
            checked = verify.check(backend, kept, transform, watcher.advanced)
            now = _now(then, backend, task, registry)
    allowed = verify.TOLERANCE if tolerance is None else tolerance
    found = verify.Verified(run, checked, changes(then, now), allowed)
    if form == "json":
        echo(json.dumps(provenance.verified_document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(provenance.render_verified(found))
    return int(not found.holds)


def _known(run: Run, values: dict[str, str], registry: Registry) -> dict[str, str]:
    """The values, where they are options of the run's backend. Raises InputError."""
    from judgeharness.evaluation.components import backend_spec
    from judgeharness.plugins import options

    scheme = backend_spec(registry, run.backend)[0].name
    options.require_known(values, {f"backend {scheme}": registry.backends.load_options(scheme)})
    return values


def _parts(run: Run, request: Request, registry: Registry) -> tuple[Strategy, Transform | None]:
    """The run's strategy and transform. Raises InputError for a run that asked nothing."""
    from judgeharness.domain.errors import InputError
    from judgeharness.evaluation.components import component
    from judgeharness.plugins import options

    if run.strategy is None:
        raise InputError(f"run {run.id} of {run.backend} asked no prompts", "'judgeharness rerun' makes it again")
    strategy = component(registry.strategies, run.strategy, request.values).part
    if run.transform is None:
        return strategy, None
    values = options.with_temperature(request.values, request.temperature)
    return strategy, component(registry.transforms, run.transform, values).part


def _task(run: Run, request: Request, store: Store, registry: Registry, data_dir: str | None) -> Task:
    from judgeharness.evaluation.components import task_definition
    from judgeharness.reports.progress import download_meter
    from judgeharness.tasks.datasets import DataFolders
    from judgeharness.tasks.explanations import explained
    from judgeharness.tasks.task import load_task

    definition = task_definition(registry, request.tasks[0])
    task = load_task(definition, DataFolders.from_environment(data_dir), download_meter, run.split)
    given = run.record.explanations
    return explained(task.limited(request.limit), None if given is None else store.explanations.find(given.set))


def _sampled(
    run: Run, task: Task, strategy: Strategy, store: Store, sample: int | None, seed: int
) -> list[tuple[str, list[Kept]]]:
    """The stored answers of some items. Raises InputError where there are none."""
    from judgeharness.domain.errors import InputError
    from judgeharness.evaluation.again import verify

    uids = verify.sampled(store.runs.predictions(run.id), sample or verify.SAMPLE, seed)
    if not uids:
        raise InputError(f"run {run.id} has no stored answers", "'judgeharness rerun' makes it again")
    return list(verify.kept_answers(run, task, strategy, uids, store.answers))


@contextlib.contextmanager
def _watched(
    backend: OpenBackend, kept: Sequence[tuple[str, list[Kept]]], task: Task, watcher: ConsoleWatcher
) -> Iterator[None]:
    """Shows how far asking has come, and closes the model in the end: before, it knows more of itself."""
    from judgeharness.backends.closing import close

    prompts = sum(len(each.group.prompts) for _, answers in kept for each in answers)
    watcher.started(f"{task.name} · {backend.name}", prompts)
    try:
        yield
    finally:
        watcher.finished()
        close([backend.part])


def _now(then: Origin, backend: OpenBackend, task: Task, registry: Registry) -> Origin:
    """What a run would depend on now."""
    from dataclasses import replace

    from judgeharness.backends.contract import Model
    from judgeharness.evaluation.again.origin import versions_of
    from judgeharness.evaluation.versions import session_record

    environment = backend.part.environment() if isinstance(backend.part, Model) else {}
    template = {"name": task.template.name, "sha256": task.template.sha256}
    return replace(
        then,
        backend={**backend.description, "environment": environment},
        data={"items": task.digest, "files": dict(task.files)},
        prompts={**then.prompts, "template": template},
        versions=versions_of(session_record((), registry.plugins)),
    )
