"""What a board of judges says: who is better than what knows nothing, who is told from whom, who cannot be beaten."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from judgeharness.analysis.intervals import Estimate, is_enough
from judgeharness.analysis.significance import ALPHA, holm, oriented, paired, ranks, student
from judgeharness.domain.nouns import FloatArray
from judgeharness.plugins.specs import MetricSpec

FLAT = 0.05
"""A judge whose distributions are within this TVD of uniform, on average, says nothing at its temperature."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Findings about the judges that answered all items, in the metric that ranks them. Judges are given by key.

    Attributes:
        ranks: The rank of each judge. Judges that nothing tells apart share one.
        better: The judges that are better than each reference beyond noise, by the reference's name.
        at_floor: The judges that cannot be told from one that knows the distribution behind the votes. None if that is
            not known.
        below_floor: The judges that are better than that. They have seen the votes, or the metric favours judges that
            are surer than people, as JSD and TVD do if votes are few.
    """

    ranks: Mapping[str, int]
    better: Mapping[str, tuple[str, ...]]
    at_floor: tuple[str, ...] | None
    below_floor: tuple[str, ...] = ()


def verdict(
    spec: MetricSpec,
    judges: Mapping[str, Estimate],
    references: Mapping[str, Estimate],
    floor: Estimate | None,
) -> Verdict | None:
    """Compare judges with each other, with references and with the noise floor. It is None for too few items.

    Each family of tests has Holm's correction: all pairs of judges, and all judges with all references.

    Args:
        spec: The metric.
        judges: The estimates of the judges, all on the same items.
        references: The estimates of what knows nothing of the items, by name, on the same items.
        floor: The estimate of a judge that knows the distribution behind the votes.
    """
    if not judges or not is_enough(spec, next(iter(judges.values()))):
        return None
    # Where knowing people is no better than knowing nothing, as for calibration, the metric is not about people.
    if floor is not None and not all(is_better(spec, floor, each) for each in references.values()):
        return Verdict(ranks(spec, judges), {}, None)
    below = tuple(key for key, each in judges.items() if floor is not None and beats(spec, each, floor, len(judges)))
    return Verdict(
        ranks(spec, judges),
        _better(spec, judges, references),
        None if floor is None else tuple(_at(spec, floor, judges, below)),
        below,
    )


def _better(
    spec: MetricSpec, judges: Mapping[str, Estimate], references: Mapping[str, Estimate]
) -> dict[str, tuple[str, ...]]:
    pairs = [(name, key) for name in references for key in judges]
    p_values = holm([student(_gap(spec, references[name], judges[key])) for name, key in pairs])
    sure = [
        (name, key)
        for (name, key), p in zip(pairs, p_values, strict=True)
        if p is not None and p < ALPHA and is_better(spec, judges[key], references[name])
    ]
    return {name: tuple(key for reference, key in sure if reference == name) for name in references}


def is_better(spec: MetricSpec, one: Estimate, other: Estimate) -> bool:
    """Return whether one estimate is better than the other, whether or not beyond noise."""
    return spec.distance_from_best(one.value) < spec.distance_from_best(other.value)


def beats(spec: MetricSpec, one: Estimate, other: Estimate, tests: int = 1) -> bool:
    """Return whether one estimate is better than the other beyond noise. It takes enough items.

    `tests` is of how many such tests this one was chosen (Bonferroni).
    """
    if not is_enough(spec, one) or not is_better(spec, one, other):
        return False
    return student(_gap(spec, other, one)) * tests < ALPHA


def flatness(model: FloatArray) -> float:
    """Return the mean TVD between distributions (items, labels) and the uniform one."""
    return float(np.abs(model - 1 / model.shape[1]).sum(axis=1).mean() / 2)


def _at(spec: MetricSpec, floor: Estimate, judges: Mapping[str, Estimate], below: Collection[str]) -> Iterator[str]:
    yield from (key for key, each in judges.items() if key not in below and not beats(spec, floor, each))


def _gap(spec: MetricSpec, one: Estimate, other: Estimate) -> Estimate:
    return paired(oriented(spec, one), oriented(spec, other))
