"""Do classifiers learn better from soft labels that are closer to people? Rank correlations over classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.errors import InputError
from judgeharness.plugins.specs import MetricSpec

MIN_SIZE = 3


@dataclass(frozen=True, slots=True)
class Taught:
    """A classifier and the soft labels that it learned from.

    Attributes:
        name: The classifier's name.
        of_labels: The metrics of the soft labels.
        of_model: The metrics of the classifier.
    """

    name: str
    of_labels: Mapping[str, float | None]
    of_model: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Relation:
    """How metrics of soft labels relate to metrics of the classifiers that learned from them.

    Attributes:
        taught: The classifiers.
        tau: Kendall's tau-b for each metric of the labels and each of the classifier; None if it is undefined. It is
            positive if better labels go with a better classifier, whatever the metrics' directions.
    """

    taught: tuple[Taught, ...]
    tau: Mapping[tuple[str, str], float | None]


def relation(taught: Sequence[Taught], of_labels: Sequence[MetricSpec], of_model: Sequence[MetricSpec]) -> Relation:
    """Compute Kendall's tau-b (Kendall 1938, with ties) with scipy.

    Raises InputError for fewer than MIN_SIZE classifiers.
    """
    if len(taught) < MIN_SIZE:
        raise InputError(
            f"a relation takes at least {MIN_SIZE} kinds of soft labels, and there are {len(taught)}",
            "'judgeharness finetune --labels ... --labels ...' learns from more",
        )
    tau = {
        (one.name, other.name): _tau(
            [_badness(one, each.of_labels) for each in taught], [_badness(other, each.of_model) for each in taught]
        )
        for one in of_labels
        for other in of_model
    }
    return Relation(tuple(taught), tau)


def _badness(spec: MetricSpec, values: Mapping[str, float | None]) -> float:
    value = values.get(spec.name)
    return float("nan") if value is None else spec.distance_from_best(value)


def _tau(first: Sequence[float], second: Sequence[float]) -> float | None:
    from scipy.stats import kendalltau

    rows = np.array([first, second])
    rows = rows[:, np.isfinite(rows).all(axis=0)]
    # A metric that is the same for all has no ranks, and scipy would warn about it.
    if rows.shape[1] < MIN_SIZE or (np.ptp(rows, axis=1) == 0).any():
        return None
    return float(kendalltau(rows[0], rows[1]).statistic)
