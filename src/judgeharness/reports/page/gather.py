"""Collect a report's data from the store, and from the tasks' files for the texts that the store does not hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Prediction
from judgeharness.evaluation.again.origin import command_for, request_for, versions_of
from judgeharness.evaluation.again.replay import Answered, answered_again
from judgeharness.evaluation.trust import caution
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.registry import Registry
from judgeharness.reports.leaderboard import Board, View, leaderboard
from judgeharness.reports.page.report import Judge, Report, Subject
from judgeharness.store.database import Store
from judgeharness.store.runs import Run
from judgeharness.tasks.task import Task


def chosen(names: Sequence[str], store: Store) -> list[Run]:
    """Return the runs with these ids or starts of ids, or all judges if no names are given. Raises InputError."""
    if not names:
        found = [run for run in store.runs.all() if not run.is_finetuned]
        if not found:
            raise InputError("there are no runs to report", "'judgeharness eval' makes some")
        return found
    runs = list({run.id: run for run in (store.runs.find(name) for name in names)}.values())
    for run in runs:
        if run.is_finetuned:
            raise InputError(
                f"run {run.id} is of a fine-tuned classifier, which the page does not show",
                "'judgeharness leaderboard --kind finetune' does",
            )
    return runs


def gather(
    runs: Sequence[Run],
    store: Store,
    registry: Registry,
    measures: Mapping[str, Measure],
    view: View,
    tasks: Mapping[str, Task],
    notify: Callable[[str], None],
) -> Report:
    """Collect the runs with their distributions, prompts and records in a report without a title.

    Raises as `leaderboard`.

    Args:
        runs: The runs.
        store: The store.
        registry: The components.
        measures: The metrics, by name.
        view: How the runs are shown.
        tasks: The tasks with their texts, by the digests that the runs have.
        notify: Called with what is being read.
    """
    notify("measuring")
    ranked = leaderboard(runs, store.runs, measures, view)
    subjects = tuple(_subject(board, store, registry, tasks[board.task.digest], notify) for board in ranked.boards)
    return Report("", ranked, measures, subjects)


def _subject(board: Board, store: Store, registry: Registry, task: Task, notify: Callable[[str], None]) -> Subject:
    items = tuple(store.runs.items(board.task.digest))
    by_uid = {item.uid: item for item in task.items}
    uids = [item.uid for item in items]

    def answered(run: Run) -> Iterator[Answered]:
        notify(f"prompts and scores of {run.name}")
        yield from answered_again(run, task, registry, store)

    judges = tuple(_judge(run, uids, store, registry, answered) for run in board.runs)
    return Subject(board, items, by_uid, judges)


def _judge(
    run: Run, uids: Sequence[str], store: Store, registry: Registry, answered: Callable[[Run], Iterator[Answered]]
) -> Judge:
    found = {each.uid: each for each in store.runs.predictions(run.id)}
    return Judge(
        run=run,
        predictions=tuple(found.get(uid, Prediction(uid, None, "not stored")) for uid in uids),
        backend=store.answers.description(run.backend_digest),
        versions=versions_of(store.sessions.find(run.session_id).record),
        command=_command(run, store, registry),
        answered=None if run.strategy is None else partial(answered, run),
    )


def _command(run: Run, store: Store, registry: Registry) -> str:
    """Return the command that makes a run again, below a warning if copying it could run or contact something."""
    proposal = request_for(run, store)
    lines = (caution(proposal, registry), command_for(proposal.request))
    return "\n".join(line for line in lines if line)
