"""What a board says, in sentences."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from judgeharness.analysis.people import FLOOR, HALVES
from judgeharness.analysis.verdict import FLAT, Verdict
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.text import figure
from judgeharness.store.runs import Run

NAMED = 3
"""At most so many judges are named in a sentence."""


def sentences(board: Board) -> Iterator[str]:
    """Yield the findings about the models, one sentence each."""
    models = [run for run in board.runs if not run.is_baseline]
    whole = [run for run in models if not run.n_failed]
    if board.verdict is not None and whole:
        yield from _references(board.verdict, whole)
        yield from _each_other(board.verdict, whole)
        yield from _floor(board.verdict, whole)
    if board.sort is not None and models:
        yield from _missing({row.name for row in board.references})
    yield from _votes(board, whole)
    yield from _flat(board, models)
    yield from _orders(models)


def _references(verdict: Verdict, models: Sequence[Run]) -> Iterator[str]:
    for name, better in verdict.better.items():
        found = [run for run in models if run.id in better]
        if not found:
            yield f"{_none(len(models))} better than {name} beyond noise."
        elif len(found) == len(models):
            yield f"{'The judge is' if len(models) == 1 else 'All judges are'} better than {name} beyond noise."
        else:
            yield f"Better than {name} beyond noise: {_names(found)} ({len(found)} of {len(models)} judges)."


def _none(count: int) -> str:
    if count == 1:
        return "The judge is not"
    return "Neither judge is" if count == 2 else f"None of the {count} judges is"


def _each_other(verdict: Verdict, models: Sequence[Run]) -> Iterator[str]:
    first = [run for run in models if verdict.ranks.get(run.id) == 1]
    if len(models) < 2 or not first:
        return
    if len(first) == len(models):
        yield f"Nothing tells the {len(models)} judges apart: their differences are within noise."
    elif len(first) == 1:
        yield f"{first[0].name} is better than every other judge beyond noise."
    else:
        yield f"Nothing tells the best {len(first)} judges apart: {_names(first)}."


def _floor(verdict: Verdict, models: Sequence[Run]) -> Iterator[str]:
    if verdict.at_floor is None:
        return
    found = [run for run in models if run.id in verdict.at_floor]
    if found:
        yield f"At the {FLOOR}: {_names(found)}. A perfect judge would look the same."
    below = [run for run in models if run.id in verdict.below_floor]
    if below:
        yield (
            f"Below the {FLOOR}, which a perfect judge has: {_names(below)}. Such a judge has seen the votes, or it is "
            "surer than people, which some metrics reward if votes are few."
        )


def _missing(names: Collection[str]) -> Iterator[str]:
    if FLOOR not in names:
        yield f"There is no {FLOOR}: that takes counts of votes, and two votes for some item."
    if HALVES not in names:
        yield "There are no people to compare with: that takes two votes for every item."


def _votes(board: Board, models: Sequence[Run]) -> Iterator[str]:
    if board.halved is not None and board.sort is not None:
        run, value = board.halved
        people = {row.name: row.metrics.get(board.sort.name) for row in board.references if row.against}
        beside = ", ".join(f"{name} has {figure(found)}" for name, found in people.items() if found is not None)
        if beside:
            yield f"Against half of the votes, where {beside}, {run.name} has a {board.sort.label} of {figure(value)}."
    known = [(run, board.debiased[run.id]) for run in models if run.id in board.debiased][:NAMED]
    if known:
        values = ", ".join(
            f"{run.name} {figure(value)}" + (f" [{figure(sure.low)}, {figure(sure.high)}]" if sure else "")
            for run, (value, sure) in known
        )
        yield f"Votes are few. KL against the distribution behind them, and not against the votes: {values}."


def _flat(board: Board, models: Sequence[Run]) -> Iterator[str]:
    flat = [run for run in models if board.flatness.get(run.id, 1.0) < FLAT]
    if not flat:
        return
    largest = max(board.flatness[run.id] for run in flat)
    hot = [run for run in flat if run.temperature is not None and run.temperature > 1]
    what = f"{len(flat)} of {len(models)} judges are" if len(models) > 1 else "The judge is"
    yield f"{what} within {max(largest, 0.001):.3f} of uniform (mean TVD)."
    if hot:
        yield (
            f"A temperature of {max(run.temperature or 0 for run in hot):g} flattens {len(hot)} of these: "
            "--temperature 1 shows more, and asks nothing again."
        )


def _orders(models: Sequence[Run]) -> Iterator[str]:
    found = [
        run
        for run in models
        if run.record.order_spread is not None
        and run.record.item_spread is not None
        and run.record.order_spread > run.record.item_spread
    ]
    named = {f"{run.backend} {run.way}": run for run in found}
    if named:
        yield (
            f"The order of options (and explanations) moves these more than the item does: {_listed(list(named))} "
            "('judgeharness bias RUN' shows how)."
        )


def _names(runs: Sequence[Run]) -> str:
    return _listed([run.name for run in runs])


def _listed(names: Sequence[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")
