"""What a stored run depends on, what has changed since, and how to request the run again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from judgeharness.domain.errors import InputError
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.trust import Proposal
from judgeharness.plugins import options
from judgeharness.store.database import Store
from judgeharness.store.records import RequestRecord, SessionRecord
from judgeharness.store.runs import Run
from judgeharness.tasks.explanations import HUMAN

SET_ID = re.compile("[0-9a-f]{12}")
FORMER_OPTIONS = ("max_requests", "max_tokens")
"""Options in records of earlier versions. They limited the cost of one call, so they are not part of a run."""

VERSIONS = ("judgeharness", "git_commit", "python", "platform", "cpus", "packages", "plugins")


@dataclass(frozen=True, slots=True)
class Change:
    """Something that a run depends on, then and now. The value is None if it did not or does not exist."""

    what: str
    then: Any
    now: Any


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run depends on, as plain data.

    Attributes:
        backend: The backend's description and environment.
        data: The task's files with their hashes, and a hash of its items.
        prompts: The template, the strategy and the transform with their options, and the explanations.
        versions: The versions of judgeharness, Python, packages and plugins, and the machine.
    """

    backend: Mapping[str, Any]
    data: Mapping[str, Any]
    prompts: Mapping[str, Any]
    versions: Mapping[str, Any]


def origin_of(run: Run, store: Store) -> Origin:
    """Return what a stored run depends on."""
    record, session = run.record, store.sessions.find(run.session_id)
    document = record.document()
    task = store.runs.task(run.task_digest)
    return Origin(
        backend={**store.answers.description(run.backend_digest), "environment": record.environment},
        data={"items": run.task_digest, "files": task.record.files},
        prompts={name: document.get(name) for name in ("template", "strategy", "transform", "explanations")},
        versions=versions_of(session.record),
    )


def versions_of(session: SessionRecord) -> dict[str, Any]:
    """Return the versions in a session's record."""
    return {name: getattr(session, name) for name in VERSIONS}


def changes(then: Origin, now: Origin) -> list[Change]:
    """Return what differs, in the order of `Origin`. Nested values are compared one by one."""
    found: list[Change] = []
    for part in ("backend", "data", "prompts", "versions"):
        before, after = dict(leaves(getattr(then, part))), dict(leaves(getattr(now, part)))
        named = (Change(f"{part}: {name}", before.get(name), after.get(name)) for name in {**before, **after})
        found += [change for change in named if change.then != change.now]
    return found


def request_for(run: Run, store: Store, executor: str = "local", more: Mapping[str, str] | None = None) -> Proposal:
    """Return the request that makes a run again, built from the run's record.

    Args:
        run: The run.
        store: The store that the run is in.
        executor: The executor that answers the prompts.
        more: Options from the user. They are added to the recorded options and override them.

    Raises:
        InputError: No evaluation made the run, or its record names explanations by something that is not a set's id.
    """
    record = run.record
    if run.is_finetuned:
        raise InputError(f"run {run.id} is of a fine-tuned classifier", "'judgeharness finetune' trains it again")
    asked = record.request or _told_by_its_parts(run, store)
    explanations = HUMAN if record.explanations is None else record.explanations.set
    if explanations != HUMAN and not SET_ID.fullmatch(explanations):
        raise InputError(f"run {run.id}: '{explanations}' is not the id of a set of explanations")
    request = Request(
        tasks=(asked.task,),
        backends=(run.backend,),
        strategies=() if run.strategy is None else (run.strategy,),
        transforms=() if run.transform is None else (run.transform,),
        metrics=tuple(asked.metrics),
        temperature=run.temperature,
        values={**_without(asked.options, FORMER_OPTIONS), **(more or {})},
        limit=asked.limit,
        split=run.split,
        executor=executor,
        explanations=explanations,
    )
    return Proposal(request, f"run {run.id}", more or {})


def _without(values: Mapping[str, str], names: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in names}


def command_for(request: Request) -> str:
    """Return a request as a shell command line, with its words quoted."""
    return shlex.join(["judgeharness", "eval", *request.words()])


def _told_by_its_parts(run: Run, store: Store) -> RequestRecord:
    """Rebuild the request of a run whose record holds none. The options of its backend are unknown."""
    task = store.runs.task(run.task_digest)
    values: dict[str, str] = {}
    for part in (run.record.strategy, run.record.transform):
        given = {} if part is None else part.options
        values |= {name: options.word(value) for name, value in given.items() if value is not None}
    values.pop(options.TEMPERATURE, None)
    return RequestRecord(
        task=run.task,
        limit=task.n_items if task.n_items < task.n_total else None,
        options=values,
        metrics=[],
    )


def leaves(value: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the single values of a nested record, each under its dotted name."""
    for key, part in value.items():
        here = f"{name}{key}"
        if isinstance(part, Mapping):
            yield from leaves(part, f"{here}.")
        else:
            yield here, part
