"""A leaderboard as data: runs over the same items, ranked, with reference rows and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import numpy as np

from judgeharness.analysis.intervals import MIN_ITEMS, Estimate, Interval, estimate, interval, noting
from judgeharness.analysis.people import against_half
from judgeharness.analysis.verdict import Verdict, beats, flatness, verdict
from judgeharness.domain.errors import InputError
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.domain.nouns import Item, Prediction
from judgeharness.metrics import built_in
from judgeharness.metrics.debiased import kl_debiased
from judgeharness.metrics.measure import Measure, Sample, applicable, measure
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.outdated import outdated
from judgeharness.reports.references import ReferenceRow, References, gathered
from judgeharness.reports.text import figure
from judgeharness.store.runs import Run, Runs, StoredTask
from judgeharness.tasks.published import Published

FEW_VOTES = 20
"""With fewer votes an item, KL against the votes says little of KL against the distribution behind them."""


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
class Board:
    """The runs over one set of items, with published results, people and baselines on the same items.

    Attributes:
        task: The task.
        runs: The runs, best first.
        references: People and baselines.
        intervals: The intervals of a run's metrics, by run id and metric; None if there is none.
        ranks: The ranks by run id. Runs share a rank if nothing tells them apart in the metric to sort by. Runs with
            failed items have none.
        published: Published results.
        outdated: Why the same evaluation would ask the model again, by run id.
        faults: Why a plugin's metric has no value or interval, by run id and metric.
        stars: The ids of the best models by metric. They answered all items and are better than uniform beyond noise.
        sort: The metric that ranks the runs.
        verdict: What the board says of the models in this metric, if there are any and enough items.
        flatness: The mean TVD of each run's distributions from uniform ones, by run id.
        halved: The best model, and its value in the metric to sort by against the same halves of the votes that people
            are measured against.
        debiased: KL against the distribution that the votes were drawn from, with its interval, by run id. Empty unless
            votes are few.
    """

    task: StoredTask
    runs: tuple[Run, ...]
    references: tuple[ReferenceRow, ...]
    intervals: Mapping[str, Mapping[str, Interval | None]] = field(default_factory=dict)
    ranks: Mapping[str, int] = field(default_factory=dict)
    published: tuple[ReferenceRow, ...] = ()
    outdated: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    stars: Mapping[str, frozenset[str]] = field(default_factory=dict)
    sort: MetricSpec | None = None
    verdict: Verdict | None = None
    flatness: Mapping[str, float] = field(default_factory=dict)
    halved: tuple[Run, float] | None = None
    debiased: Mapping[str, tuple[float, Interval | None]] = field(default_factory=dict)

    @property
    def count(self) -> str:
        """The number of items, in words."""
        of = "" if self.task.n_items == self.task.n_total else f" of {self.task.n_total:,}"
        return f"{self.task.n_items:,}{of} items"

    def is_best(self, run: str, metric: MetricSpec) -> bool:
        """Return whether a run is one of the best models in a metric."""
        return run in self.stars.get(metric.name, ())


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
        measures: The columns. All are computed from the stored predictions.
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
    own = {run.id: run for run in runs if run.task_digest == digest}.values()
    measured = [_measured(run, items, stored, fitting) for run in own]
    measured.sort(key=lambda each: _place(each.run, order))
    shown = tuple(each.run for each in measured[: view.top])
    judges = [each for each in measured if not each.run.is_baseline and len(each.sample) == len(items)]
    references = gathered(items, [each.run for each in measured], fitting, view.sort, view.people)
    found = verdict(
        order,
        {each.run.id: known for each in judges if (known := each.estimates.get(view.sort)) is not None},
        {name: known for name, by in references.nothing.items() if (known := by.get(view.sort)) is not None},
        references.floor,
    )
    return Board(
        task,
        shown,
        references.rows,
        {each.run.id: each.intervals for each in measured},
        {} if found is None else found.ranks,
        _printed(task.published, order, view) if view.published else (),
        outdated(shown, stored),
        {each.run.id: each.faults for each in measured},
        {name: _stars(each.spec, judges, references) for name, each in fitting.items()},
        order,
        found,
        {each.run.id: flatness(each.sample.model) for each in measured if len(each.sample)},
        _halved(judges, references, fitting.get(view.sort)),
        _debiased(judges) if "kl" in fitting else {},
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Measured:
    """A run whose metrics were computed anew from its stored predictions."""

    run: Run
    sample: Sample
    estimates: Mapping[str, Estimate | None]
    intervals: Mapping[str, Interval | None]
    faults: Mapping[str, str]


def _measured(run: Run, items: Sequence[Item], stored: Runs, measures: Mapping[str, Measure]) -> _Measured:
    by_uid = {each.uid: each for each in stored.predictions(run.id)}
    predictions = [by_uid.get(item.uid, Prediction(item.uid, None, "not stored")) for item in items]
    sample, values = Sample.of(items, predictions), measure(items, predictions, measures)
    faults: dict[str, str] = {}
    estimates: dict[str, Estimate | None] = dict.fromkeys(measures)
    for name, each in measures.items():
        if values[name] is not None:
            with noting(name, faults):
                estimates[name] = estimate(each, sample)
        # A built-in metric may be undefined without a fault.
        if each.spec.target.startswith("judgeharness.") or estimates[name] is not None or len(sample) < 2:
            continue
        faults.setdefault(name, each.fault(sample) or f"{each.who} is not finite without each of the items")
    intervals = {
        name: None if found is None else interval(measures[name].spec, found, len(sample))
        for name, found in estimates.items()
    }
    metrics = {**values, **run.metrics} if not len(sample) else {**run.metrics, **values}
    return _Measured(replace(run, metrics=metrics), sample, estimates, intervals, faults)


def _stars(spec: MetricSpec, judges: Sequence[_Measured], references: References) -> frozenset[str]:
    """Return the models whose value is the best to three decimals, if the best is better than uniform beyond noise."""
    known = [(each, found) for each in judges if (found := each.estimates.get(spec.name)) is not None]
    if len(known) < 2:
        return frozenset()
    best, found = min(known, key=lambda pair: _place(pair[0].run, spec))
    uniform = references.nothing.get("baseline:uniform", {}).get(spec.name)
    if uniform is None or not beats(spec, found, uniform, len(known)):
        return frozenset()
    value = figure(best.run.metrics[spec.name])
    return frozenset(each.run.id for each, _ in known if figure(each.run.metrics[spec.name]) == value)


def _halved(judges: Sequence[_Measured], references: References, by: Measure | None) -> tuple[Run, float] | None:
    if not judges or by is None or not any(row.against for row in references.rows) or len(judges[0].sample) < MIN_ITEMS:
        return None
    found = against_half(judges[0].sample, {by.spec.name: by})[by.spec.name].value
    return None if found is None else (judges[0].run, found)


def _debiased(judges: Sequence[_Measured]) -> dict[str, tuple[float, Interval | None]]:
    """Return KL against the distribution behind the votes, if these are few."""
    votes = judges[0].sample.votes if judges else None
    if votes is None or np.median(votes.sum(axis=1)) >= FEW_VOTES or len(votes) < MIN_ITEMS:
        return {}
    by = Measure(built_in("kl-debiased"), kl_debiased)
    found = {each.run.id: (each.sample, estimate(by, each.sample)) for each in judges}
    return {
        key: (known.value, interval(by.spec, known, len(sample)))
        for key, (sample, known) in found.items()
        if known is not None
    }


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


def _place(run: Run | ReferenceRow, metric: MetricSpec) -> tuple[bool, bool, float]:
    value = run.metrics.get(metric.name)
    is_last = run.strategy is None if isinstance(run, ReferenceRow) else run.is_baseline
    return (is_last, value is None, 0.0 if value is None else metric.distance_from_best(value))
