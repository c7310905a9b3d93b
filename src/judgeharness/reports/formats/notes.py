"""The notes below a leaderboard in the console: the legend, and what readers must know about the values."""

from __future__ import annotations

from collections.abc import Iterator

from judgeharness.analysis.intervals import MIN_HEAVY_ITEMS, MIN_ITEMS
from judgeharness.analysis.people import FLOOR, SHUFFLED
from judgeharness.reports.leaderboard import Board
from judgeharness.reports.verdict import sentences
from judgeharness.store.runs import Run

LOW_MASS = 0.5
PRINTED = "†"
AGAINST = "½"


def notes(board: Board, with_intervals: bool, with_ranks: bool) -> Iterator[str]:
    """Yield the notes, one per line. The flags say whether the table shows intervals and ranks."""
    models = [run for run in board.runs if not run.is_baseline]
    yield from sentences(board)
    yield from _legend(board, with_intervals, with_ranks)
    yield from _unexpected(board)
    yield from _faults(board)
    if board.task.record.notice:
        yield f"note: {board.task.record.notice}"
    for run in board.runs:
        if run.n_failed:
            yield (
                f"{run.name}: {run.n_failed} of {run.n_items} items failed and are left out "
                f"('judgeharness show {run.id}')"
            )
    yield from dict.fromkeys(line for run in models if (line := _censoring(run)))
    yield from dict.fromkeys(line for run in models if (line := _writing(run)))
    yield from dict.fromkeys(line for run in models for line in _warnings(run))
    for reason in dict.fromkeys(board.outdated.values()):
        names = [f"{run.name} ({run.id})" for run in board.runs if board.outdated.get(run.id) == reason]
        yield f"{', '.join(names)}: {reason}"
    for (backend, strategy), mass in _low_masses(models).items():
        yield (
            f"{backend} {strategy}: the options hold {mass:.1%} of the probability of the first answer token; "
            "this model seldom answers with a letter"
        )


def _legend(board: Board, with_intervals: bool, with_ranks: bool) -> Iterator[str]:
    if any(board.stars.values()):
        yield "* best model, if it is better than uniform beyond noise and answered all items"
    for source in dict.fromkeys(row.source for row in board.published):
        yield f"{PRINTED} as published in {source}"
    for row in board.published:
        if row.note:
            name = " ".join(part for part in (row.name, row.strategy, row.transform) if part)
            yield f"{name} {PRINTED}: {row.note}"
    yield from _of_references(board)
    if with_ranks and len(board.ranks) > 1:
        yield "# judges share a rank if nothing tells them apart (paired tests of all pairs, Holm's correction, .05)"
    if with_intervals and board.intervals:
        yield from _of_intervals(board)


def _of_intervals(board: Board) -> Iterator[str]:
    yield "± half of the 95 % interval on new items; [low high] where the value is not in the middle"
    if any(any(row.intervals.values()) for row in board.references):
        yield "± behind people and the noise floor: the range of 95 % of draws"
    if any(None in each.values() for each in board.intervals.values()):
        yield f"no interval: fewer than {MIN_ITEMS} items ({MIN_HEAVY_ITEMS} for KL and its kind), or no value"


def _of_references(board: Board) -> Iterator[str]:
    names = {row.name for row in board.references}
    if FLOOR in names:
        yield f"{FLOOR}: what a judge gets that knows the distribution behind the votes"
    if any(row.against for row in board.references):
        yield f"{AGAINST} against half of the votes, which are noisier than all votes: no bound for a judge"
    if SHUFFLED in names:
        yield f"{SHUFFLED}: people's distributions of other items"
    yield from (f"{row.name}: {row.note}" for row in board.references if row.note)


def _faults(board: Board) -> Iterator[str]:
    """Say which plugins' metrics have no value or interval, and why."""
    found: dict[tuple[str, str], list[str]] = {}
    for run in board.runs:
        for name, reason in board.faults.get(run.id, {}).items():
            found.setdefault((name, "value" if run.metrics.get(name) is None else "interval"), []).append(reason)
    for (_, lacking), reasons in found.items():
        yield f"no {lacking} for {len(reasons):,} of {len(board.runs):,} runs: {reasons[0]}"


def _unexpected(board: Board) -> Iterator[str]:
    """Say for which runs KL is dominated by labels that people chose and the judge gave no probability."""
    for run in board.runs:
        count = run.record.items_with_unexpected_labels
        if count:
            yield (
                f"{run.name}: KL is dominated by {count:,} of {run.n_items:,} items, on "
                "which this judge gives nothing to a label that people chose (kl-smoothed bounds that)"
            )


def _censoring(run: Run) -> str | None:
    """Say how many scores are bounds because the server did not return them."""
    censored, options = run.record.options_censored, run.record.options
    if not censored or not options:
        return None
    mass, left_out = run.record.options_mass, run.record.prompts_left_out
    line = (
        f"{run.backend} {run.way}: {censored:,} of {options:,} option scores ({censored / options:.1%}) were not "
        "among the tokens that the server returned, and stand at their upper bound"
    )
    if left_out:
        line += f"; {left_out:,} prompts for which it returned none are left out"
    return line + (f"; the options hold {mass:.1%} of the probability" if mass is not None else "")


def _warnings(run: Run) -> Iterator[str]:
    """Yield what the backend warned about."""
    found = run.record.environment.get("warnings")
    for line in found if isinstance(found, list) else ():
        yield f"{run.backend}: {line}"


def _writing(run: Run) -> str | None:
    """Say how many answers could not be read or were truncated."""
    texts, unread, cut = (given or 0 for given in (run.record.texts, run.record.texts_unread, run.record.texts_cut))
    parts = []
    if unread:
        parts.append(f"{unread:,} of {texts:,} answers ({unread / texts:.1%}) could not be read and are left out")
    if cut:
        parts.append(f"{cut:,} of {texts:,} texts were truncated")
    return f"{run.backend} {run.way}: {'; '.join(parts)}" if parts else None


def _low_masses(runs: list[Run]) -> dict[tuple[str, str], float]:
    found: dict[tuple[str, str], float] = {}
    for run in runs:
        mass = run.record.options_mass
        if mass is not None and mass < LOW_MASS:
            found[(run.backend, run.way)] = mass
    return found
