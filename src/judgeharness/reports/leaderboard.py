"""A leaderboard as data: runs that may be compared with each other, in order, with reference rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgeharness import pipeline
from judgeharness.domain import Item, Prediction
from judgeharness.pipeline import Metric
from judgeharness.specs import MetricSpec
from judgeharness.store.runs import Run, Runs, TaskRecord

DEFAULT_SORT = "jsd"


@dataclass(frozen=True, slots=True)
class ReferenceRow:
    """A baseline's figures on the same items; no run of its own."""

    name: str
    metrics: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Board:
    """The runs over one set of items, best first, and the baselines on the same items."""

    task: TaskRecord
    runs: tuple[Run, ...]
    references: tuple[ReferenceRow, ...]

    def best(self, metric: MetricSpec) -> float | None:
        """The best value that a model reaches; None where fewer than two have one."""
        values = [value for run in self.runs if (value := run.metrics.get(metric.name)) is not None and run.strategy]
        if len(values) < 2:
            return None
        return min(values) if metric.direction == "lower" else max(values)


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """Boards of one or more item sets. runs: all of them in the order in which they were given."""

    metrics: tuple[MetricSpec, ...]
    boards: tuple[Board, ...]
    runs: tuple[Run, ...]


def leaderboard(
    runs: Sequence[Run], stored: Runs, metrics: Mapping[str, tuple[MetricSpec, Metric]], sort: str
) -> Leaderboard:
    """Put runs in order, each set of items a board of its own.

    metrics: the columns. sort: the name of the one that gives the order.
    """
    specs = tuple(spec for spec, _ in metrics.values())
    order = metrics[sort][0]
    boards = []
    for digest in dict.fromkeys(run.task_digest for run in runs):
        own = sorted((run for run in runs if run.task_digest == digest), key=lambda run: _place(run, order))
        boards.append(Board(stored.task(digest), tuple(own), _references(own, stored.items(digest), metrics)))
    return Leaderboard(specs, tuple(boards), tuple(runs))


def _place(run: Run, metric: MetricSpec) -> tuple[bool, bool, float]:
    value = run.metrics.get(metric.name)
    if value is None:
        return (run.strategy is None, True, 0.0)
    return (run.strategy is None, False, value if metric.direction == "lower" else -value)


def _references(
    runs: Sequence[Run], items: Sequence[Item], metrics: Mapping[str, tuple[MetricSpec, Metric]]
) -> tuple[ReferenceRow, ...]:
    """The uniform distribution and the task's other label sources, unless they are among the runs."""
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
            pipeline.measure(items, [Prediction(i.uid, p) for i, p in zip(items, rows, strict=True)], metrics),
        )
        for name, rows in sources.items()
        if f"baseline:{name}" not in present
    )
