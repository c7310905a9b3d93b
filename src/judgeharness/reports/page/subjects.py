"""The distributions that every section's script can use, as plain data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from judgeharness.analysis.slices import ENTROPY, slice_names
from judgeharness.domain.nouns import Item
from judgeharness.metrics.entropy import entropies
from judgeharness.metrics.measure import Measure, Sample, applicable
from judgeharness.reports.page.packing import floats
from judgeharness.reports.page.report import Judge, Report, Subject

BINS = 4


def subjects_data(report: Report) -> list[dict[str, Any]]:
    """Return each subject's items and judges, with numbers as in `packing.floats`. Missing distributions are NaN."""
    return [_subject(subject, report) for subject in report.subjects]


def _subject(subject: Subject, report: Report) -> dict[str, Any]:
    human = np.array([item.human for item in subject.items])
    votes = [None if item.votes is None else list(item.votes) for item in subject.items]
    references = {
        name: floats([item.references[name] for item in subject.items])
        for name in subject.items[0].references
        if all(name in item.references for item in subject.items)
    }
    fitting = applicable(report.measures, subject.board.task.record.ordinal)
    measures = {name: each for name, each in fitting.items() if each.spec.level == "item"}
    names = distinct([judge.run.name for judge in subject.judges], [judge.run.id for judge in subject.judges])
    return {
        "task": subject.board.task.name,
        "split": subject.board.task.split,
        "labels": list(subject.board.task.labels),
        "uids": [item.uid for item in subject.items],
        "human": floats(human),
        "entropy": floats(entropies(human)),
        "bands": slice_names(subject.items, subject.board.task.labels, ENTROPY, BINS),
        "votes": votes if any(votes) else None,
        "references": references,
        "measures": {
            name: {"label": measure.spec.label, "direction": measure.spec.direction}
            for name, measure in measures.items()
        },
        "judges": [
            _judge(judge, name, subject.items, measures) for judge, name in zip(subject.judges, names, strict=True)
        ],
    }


def distinct(names: Sequence[str], ids: Sequence[str]) -> list[str]:
    """Return the names. Those that occur more than once are followed by the start of an id."""
    counts = Counter(names)
    return [name if counts[name] == 1 else f"{name} [{key[:6]}]" for name, key in zip(names, ids, strict=True)]


def _judge(judge: Judge, name: str, items: Sequence[Item], measures: Mapping[str, Measure]) -> dict[str, Any]:
    model = np.full((len(items), len(items[0].human)), np.nan)
    for place, prediction in enumerate(judge.predictions):
        if prediction.probabilities is not None:
            model[place] = prediction.probabilities
    there = ~np.isnan(model).any(axis=1)
    sample = Sample.of(items, judge.predictions)
    values = {}
    for key, measure in measures.items():
        # If a metric fails, the leaderboard says so.
        if there.any() and measure.value(sample) is not None:
            every = np.full(len(items), np.nan)
            every[there] = measure.values(sample)
            values[key] = floats(every)
    run = judge.run
    return {
        "run": run.id,
        "name": name,
        "backend": run.backend,
        "strategy": run.strategy,
        "transform": run.transform,
        "model": floats(model),
        "measures": values,
        "failures": {each.uid: each.failure for each in judge.predictions if each.failure is not None},
    }
