"""Do soft labels that are nearer to people teach better? Rank correlations over fine-tuned classifiers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from judgeharness.domain.errors import InputError
from judgeharness.plugins.specs import MetricSpec

MIN_SIZE = 3


@dataclass(frozen=True, slots=True)
class Taught:
    """A classifier and what it learned from. of_labels: measures of the soft labels; of_model: of the classifier."""

    name: str
    of_labels: Mapping[str, float | None]
    of_model: Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Relation:
    """tau: for each measure of the labels and each of the classifier, Kendall's tau-b (None where it is undefined).

    Above zero where labels that are better by the one teach better by the other, whatever the measures' directions.
    """

    taught: tuple[Taught, ...]
    tau: Mapping[tuple[str, str], float | None]


def relation(taught: Sequence[Taught], of_labels: Sequence[MetricSpec], of_model: Sequence[MetricSpec]) -> Relation:
    """Kendall 1938, with ties (tau-b) as scipy has it. Raises InputError for fewer than MIN_SIZE classifiers."""
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
    # A measure that is the same for all has no ranks; scipy warns of it.
    if rows.shape[1] < MIN_SIZE or (np.ptp(rows, axis=1) == 0).any():
        return None
    return float(kendalltau(rows[0], rows[1]).statistic)
