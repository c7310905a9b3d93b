"""Fine-tuned classifiers compared, as data: one row for each model and set of soft labels, with means over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from judgeharness.analysis.intervals import Interval, averaged, estimate, interval
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.finetune import KIND, development_first
from judgeharness.metrics.measure import Measure, Sample, applicable
from judgeharness.plugins.specs import MetricSpec
from judgeharness.reports.formats.notes import PRINTED
from judgeharness.store.records import TrainingRecord
from judgeharness.store.runs import Run, Runs, StoredTask

METRICS = ("weighted-f1", "macro-f1", "kl-torch-mean", "cross-entropy")
SHOWN = ("weighted-f1", "kl", "kl-torch-mean", "cross-entropy", "dcor")


@dataclass(frozen=True, slots=True)
class Figure:
    """The mean over seeds, their standard deviation (None for one seed), and the mean's 95 % interval over items."""

    value: float | None
    spread: float | None = None
    interval: Interval | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One classifier on one kind of soft labels, or a published one, which has a source.

    Attributes:
        model: The model, with its first stage and what differs from the recipe in the paper.
        labels: The soft labels that it learned from.
        labels_run: The run that these came from, if any.
        seeds: The seeds.
        figures: The values by split, then metric.
        runs: The ids of the runs.
        of_labels: The metrics of the soft labels.
        source: The source of published results.
    """

    model: str
    labels: str
    labels_run: str | None
    seeds: tuple[int, ...]
    figures: Mapping[str, Mapping[str, Figure]]
    runs: tuple[str, ...]
    of_labels: Mapping[str, float | None]
    source: str = ""

    @property
    def name(self) -> str:
        """The soft labels that it learned from, marked if the results are published."""
        return f"{self.labels} {PRINTED}" if self.source else self.labels


@dataclass(frozen=True, slots=True)
class Board:
    """Rows of this store, best first by cross-entropy on the first split, and published rows.

    Attributes:
        shown: The columns of tables.
        splits: The splits.
        rows: The rows of this store.
        entropies: The mean human entropy of each split, in nats.
        printed: The published rows.
    """

    shown: tuple[MetricSpec, ...]
    splits: tuple[str, ...]
    rows: tuple[Row, ...]
    entropies: Mapping[str, float]
    printed: tuple[Row, ...] = ()

    @property
    def all_rows(self) -> tuple[Row, ...]:
        """The rows of this store, then the published ones."""
        return (*self.rows, *self.printed)


def board(
    runs: Sequence[Run],
    stored: Runs,
    measures: Mapping[str, Measure],
    more: Sequence[str] = (),
    published: bool = False,
) -> Board:
    """Return the rows of the runs that fine-tuning made.

    Args:
        runs: The runs. Those that are not fine-tuned are ignored.
        stored: The runs of the store.
        measures: The metrics, by name.
        more: Metrics that tables show in addition to the usual ones.
        published: Whether to include published results on the same items.

    Raises:
        InputError: No run is fine-tuned, or they belong to several tasks.
    """
    own = [run for run in runs if run.is_finetuned]
    if not own:
        raise InputError("no fine-tuned classifier in this store", "'judgeharness finetune' makes some")
    if len({run.task for run in own}) > 1:
        raise InputError("fine-tuned classifiers of several tasks: choose one with --task")
    splits = tuple(development_first({run.split for run in own}))
    groups: dict[str, list[Run]] = {}
    for run in own:
        groups.setdefault(_training(run).group, []).append(run)
    rows = [_row(each, splits, stored, measures) for each in groups.values()]
    rows.sort(key=lambda row: _cross_entropy(row, splits[0]))
    entropies = {run.split: _entropy(run, stored) for run in own}
    tasks = [stored.task(run.task_digest) for run in {run.split: run for run in own}.values()]
    printed = _printed(tasks, splits) if published else ()
    shown = tuple(measures[name].spec for name in dict.fromkeys([*SHOWN, *more]))
    return Board(shown, splits, tuple(rows), entropies, printed)


def _printed(tasks: Sequence[StoredTask], splits: Sequence[str]) -> tuple[Row, ...]:
    """Return a row for each published judge, whose name is "MODEL on LABELS", with its values for each split."""
    found: dict[str, Row] = {}
    for task in tasks:
        if task.published is None:
            continue
        for judge, printed in task.published.rows():
            model, _, labels = judge.name.partition(" on ")
            empty: dict[str, Mapping[str, Figure]] = {split: {} for split in splits}
            row = found.setdefault(judge.name, Row(model, labels, None, (), empty, (), {}, task.published.source))
            figures = {name: Figure(value) for name, value in printed.figures.items()}
            found[judge.name] = replace(row, figures={**row.figures, task.split: figures})
    return tuple(sorted(found.values(), key=lambda row: (row.model, _cross_entropy(row, splits[0]))))


def _row(runs: Sequence[Run], splits: Sequence[str], stored: Runs, measures: Mapping[str, Measure]) -> Row:
    facts = _training(runs[0])
    figures = {split: _figures([run for run in runs if run.split == split], stored, measures) for split in splits}
    seeds = tuple(sorted({_training(run).seed for run in runs}))
    model = runs[0].backend.removeprefix(f"{KIND}:").removesuffix(f" on {facts.labels}, seed {facts.seed}")
    return Row(
        _with_recipe(model, facts),
        facts.labels,
        facts.labels_run,
        seeds,
        figures,
        tuple(run.id for run in runs),
        facts.label_metrics,
    )


def _training(run: Run) -> TrainingRecord:
    if run.record.finetune is None:
        raise HarnessError(f"run {run.id} is not of a fine-tuned classifier")
    return run.record.finetune


def _with_recipe(model: str, facts: TrainingRecord) -> str:
    """Return the model, what it learned first, and what differs from the recipe in the paper."""
    first = f" after {facts.stage1}" if facts.stage1 else ""
    changed = ", ".join(f"{name}={value}" for name, value in facts.departures.items())
    return f"{model}{first}{f' ({changed})' if changed else ''}"


def _figures(runs: Sequence[Run], stored: Runs, measures: Mapping[str, Measure]) -> dict[str, Figure]:
    if not runs:
        return {}
    task = stored.task(runs[0].task_digest)
    fitting = applicable(measures, task.record.ordinal)
    items = stored.items(runs[0].task_digest)
    samples = [Sample.of(items, stored.predictions(run.id)) for run in runs]
    found = {}
    for name, measure in fitting.items():
        values = [value for sample in samples if (value := measure.value(sample)) is not None]
        mean = float(np.mean(values)) if values else None
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        found[name] = Figure(mean, spread, _interval(measure, samples) if len(values) == len(samples) else None)
    return found


def _interval(measure: Measure, samples: Sequence[Sample]) -> Interval | None:
    """Return the interval of the mean over seeds, all on the same items."""
    if len({len(sample) for sample in samples}) > 1:
        return None
    found = [estimate(measure, sample) for sample in samples]
    known = [each for each in found if each is not None]
    return interval(measure.spec, averaged(known), len(samples[0])) if found and len(known) == len(found) else None


def _entropy(run: Run, stored: Runs) -> float:
    from judgeharness.metrics.entropy import entropies

    return float(entropies(np.array([item.human for item in stored.items(run.task_digest)])).mean())


def _cross_entropy(row: Row, split: str) -> float:
    each = row.figures[split].get("cross-entropy")
    return float("inf") if each is None or each.value is None else each.value
