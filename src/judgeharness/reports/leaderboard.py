"""A leaderboard as data: runs over the same items, ranked, with reference rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from judgeharness.analysis.intervals import MIN_ITEMS, Interval, bootstrapped, draw, intervals_of, ranks
from judgeharness.analysis.people import HALVES, annotators_measured, are_a_ceiling, halves_measured, votes_of
from judgeharness.domain.errors import InputError
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.domain.nouns import FloatArray, Item, Prediction
from judgeharness.metrics.measure import Measure, applicable, measure, paired
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.outdated import outdated
from judgeharness.store.runs import Run, Runs, StoredTask
from judgeharness.tasks.published import Published


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which runs are shown. An empty field selects all. Backends may be patterns with * as a wildcard."""

    tasks: Sequence[str] = ()
    backends: Sequence[str] = ()
    strategies: Sequence[str] = ()
    transforms: Sequence[str] = ()

    def takes(self, run: Run) -> bool:
        """Return whether a run is shown."""
        named = not self.backends or any(fnmatchcase(run.backend, pattern) for pattern in self.backends)
        return named and (not self.tasks or run.task in self.tasks) and self.takes_way(run.strategy, run.transform)

    def takes_way(self, strategy: str | None, transform: str | None) -> bool:
        """Return whether rows with this strategy and transform are shown."""
        return (not self.strategies or strategy in self.strategies) and (
            not self.transforms or transform in self.transforms
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """How runs are shown.

    Attributes:
        selection: Which runs are shown.
        sort: The metric to sort by.
        people: Numbers of annotators whose results are shown too.
        published: Whether published results on the same items are shown too.
        top: How many of the best runs of each board are shown; None for all.
    """

    selection: Selection = Selection()
    sort: str = DEFAULT_METRIC
    people: Sequence[int] = ()
    published: bool = False
    top: int | None = None


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """Values on the same items that no run gave: a baseline's, people's, or published ones, which have a source."""

    name: str
    metrics: Mapping[str, float | None]
    strategy: str | None = None
    transform: str | None = None
    temperature: float | None = None
    source: str = ""
    note: str = ""

    @property
    def way(self) -> str:
        """The strategy, or an empty text."""
        return self.strategy or ""


@dataclass(frozen=True, slots=True)
class Board:
    """The runs over one set of items, with published results, people and baselines on the same items.

    Attributes:
        task: The task.
        runs: The runs, best first.
        references: People and baselines.
        intervals: The intervals of a run's metrics, by run id and metric; None if there is none.
        ranks: The ranks by run id. Runs share a rank if their difference in the metric to sort by is within noise. Runs
            with failed items have none. There are neither ranks nor intervals for fewer than MIN_ITEMS items.
        published: Published results.
        outdated: Why the same evaluation would ask the model again, by run id.
        faults: Why a plugin's metric has no value or interval, by run id and metric.
    """

    task: StoredTask
    runs: tuple[Run, ...]
    references: tuple[ReferenceRow, ...]
    intervals: Mapping[str, Mapping[str, Interval | None]] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)
    published: tuple[ReferenceRow, ...] = ()
    outdated: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def count(self) -> str:
        """The number of items, in words."""
        of = "" if self.task.n_items == self.task.n_total else f" of {self.task.n_total:,}"
        return f"{self.task.n_items:,}{of} items"

    def best(self, metric: MetricSpec) -> float | None:
        """Return the best value that a model reaches, or None if fewer than two models have a value."""
        values = [value for run in self.runs if (value := run.metrics.get(metric.name)) is not None and run.strategy]
        if len(values) < 2:
            return None
        return min(values, key=metric.distance_from_best)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Boards of one or more sets of items. `runs` are the runs on the boards, in the order in which they were given."""

    metrics: tuple[MetricSpec, ...]
    boards: tuple[Board, ...]
    runs: tuple[Run, ...]


def leaderboard(runs: Sequence[Run], stored: Runs, measures: Mapping[str, Measure], view: View = View()) -> Leaderboard:
    """Sort runs into a board for each set of items, with intervals from the stored predictions.

    Args:
        runs: The runs.
        stored: The runs of the store.
        measures: The columns. Metrics that were not computed with a run are computed now.
        view: How the runs are shown.

    Raises:
        InputError: The view selects none of the runs.
    """
    selected = [run for run in runs if view.selection.takes(run)]
    if runs and not selected:
        raise InputError(f"none of the {len(runs)} runs is of this kind", "'judgeharness leaderboard' shows all")
    specs = tuple(each.spec for each in measures.values())
    digests = dict.fromkeys(run.task_digest for run in selected)
    boards = [_board(digest, selected, stored, measures, view) for digest in digests]
    known = {run.id: run for board in boards for run in board.runs}
    return Leaderboard(specs, tuple(boards), tuple(known[run.id] for run in selected if run.id in known))


def _board(digest: str, runs: Sequence[Run], stored: Runs, measures: Mapping[str, Measure], view: View) -> Board:
    task, items = stored.task(digest), stored.items(digest)
    fitting = applicable(measures, task.record.ordinal)
    order = measures[view.sort].spec
    own, found, ranked, faults = [], {}, {}, {}
    for run in {run.id: run for run in runs if run.task_digest == digest}.values():
        by_uid = {each.uid: each for each in stored.predictions(run.id)}
        predictions = [by_uid.get(item.uid, Prediction(item.uid, None, "not stored")) for item in items]
        missing = {name: each for name, each in fitting.items() if name not in run.metrics or not _is_ours(each.spec)}
        metrics = {**run.metrics, **measure(items, predictions, missing)}
        own.append(replace(run, metrics=metrics))
        human, model = paired(items, predictions)
        faults[run.id] = _faults(missing, metrics, human, model)
        if len(human) < MIN_ITEMS:
            continue
        usable = {name: each for name, each in fitting.items() if metrics[name] is not None}
        ranking = {view.sort: usable[view.sort]} if view.sort in usable else {}
        drawn = draw({**bootstrapped(usable), **ranking}, human, model, faults=faults[run.id])
        sure = intervals_of(drawn, usable, human, model, faults=faults[run.id])
        found[run.id] = {**dict.fromkeys(fitting), **sure}
        if view.sort in drawn and len(human) == len(items):
            ranked[run.id] = drawn[view.sort]
    own.sort(key=lambda run: _place(run, order))
    references = (*_people(items, fitting, view.people), *_references(own, items, fitting))
    printed = _printed(task.published, order, view) if view.published else ()
    shown = tuple(own[: view.top])
    return Board(task, shown, references, found, ranks(ranked, order), printed, outdated(shown, stored), faults)


def _printed(published: Published | None, order: MetricSpec, view: View) -> tuple[ReferenceRow, ...]:
    """Return published results, sorted as runs are: first models, then the rest."""
    if published is None:
        return ()
    rows = [
        ReferenceRow(judge.name, row.figures, row.strategy, row.transform, row.temperature, published.source, row.note)
        for judge, row in published.rows()
        if view.selection.takes_way(row.strategy, row.transform)
    ]
    return tuple(sorted(rows, key=lambda row: _place(row, order)))


def _people(items: Sequence[Item], measures: Mapping[str, Measure], numbers: Sequence[int]) -> list[ReferenceRow]:
    """Return the human split-half, and how well small numbers of annotators match all of them."""
    votes = votes_of(items)
    if votes is None:
        return []
    few = {n: annotators_measured(votes, n, measures) for n in numbers}
    return [
        *([ReferenceRow(HALVES, halves_measured(votes, measures))] if are_a_ceiling(votes) else []),
        *(ReferenceRow(f"{n} annotators", figures) for n, figures in few.items()),
    ]


def _faults(
    measures: Mapping[str, Measure], metrics: Mapping[str, float | None], human: FloatArray, model: FloatArray
) -> dict[str, str]:
    """Return why plugins' metrics have no value, by name. Built-in metrics may be undefined without a fault."""
    suspect = {name: each for name, each in measures.items() if metrics[name] is None and not _is_ours(each.spec)}
    if not len(human):
        return {}
    return {name: reason for name, each in suspect.items() if (reason := each.fault(human, model)) is not None}


def _is_ours(spec: MetricSpec) -> bool:
    """Return whether a metric is built in. A plugin's metric may have changed since a run was measured."""
    return spec.target.startswith("judgeharness.")


def _place(run: Run | ReferenceRow, metric: MetricSpec) -> tuple[bool, bool, float]:
    value = run.metrics.get(metric.name)
    return (run.strategy is None, value is None, 0.0 if value is None else metric.distance_from_best(value))


def _references(
    runs: Sequence[Run], items: Sequence[Item], measures: Mapping[str, Measure]
) -> tuple[ReferenceRow, ...]:
    """Return the uniform distribution and the task's other label sources, unless they are among the runs."""
    present = {run.backend for run in runs}
    sources: dict[str, list[tuple[float, ...]]] = {
        "uniform": [(1 / len(item.human),) * len(item.human) for item in items]
    }
    for name in items[0].references if items else ():
        if all(name in item.references for item in items):
            sources[name] = [item.references[name] for item in items]
    return tuple(
        ReferenceRow(
            f"baseline:{name}",
            measure(items, [Prediction(i.uid, p) for i, p in zip(items, rows, strict=True)], measures),
        )
        for name, rows in sources.items()
        if f"baseline:{name}" not in present
    )
