"""What judges are compared with: what a perfect judge would get, what people get, and what knows nothing of the items.

A judge is measured against votes, which differ from the distribution behind them. So even a judge that knows this
distribution is not at zero: it is at the noise floor. Half of the people against the other half is not a bound, since
both halves are noisy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from judgeharness.analysis.intervals import Estimate, Interval, averaged, estimate
from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.dirichlet import fitted
from judgeharness.metrics.measure import Measure, Sample

FLOOR = "noise floor"
"""The name for a judge that knows the distribution that the votes were drawn from."""
HALVES = "human split-half"
"""The name for one half of the votes measured against the other."""
SHUFFLED = "shuffled people"
"""The name for people's distributions on other items."""

DRAWS = 100
DRAWN_ITEMS = 40_000
SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A metric of something that is not a judge, over several draws.

    Attributes:
        value: The mean over the draws.
        interval: The range of 95 % of the draws.
        estimate: The mean estimate with its influences, if it was asked for.
    """

    value: float | None
    interval: Interval | None = None
    estimate: Estimate | None = None


def noise_floor(
    sample: Sample,
    measures: Mapping[str, Measure],
    tested: str | None = None,
    at: npt.NDArray[np.intp] | None = None,
) -> dict[str, Reference]:
    """Return what a judge that knows the distribution behind the votes would get against these votes.

    These distributions are drawn from a model that is fitted to the votes (`dirichlet.fitted`). The result is empty if
    the votes are not known or no item has two.

    Args:
        sample: The items. Their judge is ignored.
        measures: The metrics, by name.
        tested: The metric of which an estimate with influences is needed.
        at: The places of the items to measure; None for all. The model is fitted to all in any case.
    """
    model = None if sample.votes is None else fitted(sample.votes)
    if model is None or sample.votes is None:
        return {}
    votes = sample.votes

    def deal(random: np.random.Generator) -> Sample:
        drawn = sample.judged(model.drawn(votes, random))
        return drawn if at is None else drawn.at(at)

    return _drawn(measures, deal, len(sample) if at is None else len(at), tested)


def answers_floor(sample: Sample, measures: Mapping[str, Measure], answers: int) -> dict[str, Reference]:
    """Return what a judge would get whose distribution is that of `answers` answers drawn as people answer."""
    model = None if sample.votes is None else fitted(sample.votes)
    if model is None or sample.votes is None:
        return {}
    votes = sample.votes
    return _drawn(
        measures,
        lambda random: sample.judged(random.multinomial(answers, model.drawn(votes, random)) / answers),
        len(sample),
    )


def split_half(sample: Sample, measures: Mapping[str, Measure]) -> dict[str, Reference]:
    """Measure one half of the people against the other half. It is empty if an item has fewer than two votes."""
    return _against_half(sample, measures, lambda first, second, random: second)


def annotators(sample: Sample, measures: Mapping[str, Measure], n: int) -> dict[str, Reference]:
    """Measure n people from one half against the other half. It is empty if a half has fewer than n people."""
    if sample.votes is None or (sample.votes.sum(axis=1) // 2).min() < n:
        return {}
    return _against_half(
        sample, measures, lambda first, second, random: _without_replacement(second, np.full(len(second), n), random)
    )


def against_half(sample: Sample, measures: Mapping[str, Measure]) -> dict[str, Reference]:
    """Measure the judge against one half of the people: to be compared with people against the same half."""
    return _against_half(sample, measures, lambda first, second, random: sample.model)


def shuffled(sample: Sample, measures: Mapping[str, Measure]) -> dict[str, Reference]:
    """Measure people's distributions on other items: what a judge gets that answers as people do, but to nothing."""
    return _drawn(
        measures, lambda random: sample.judged(sample.human[random.permutation(len(sample))]), len(sample), draws=20
    )


def _against_half(
    sample: Sample,
    measures: Mapping[str, Measure],
    answer: Callable[[FloatArray, FloatArray, np.random.Generator], FloatArray],
) -> dict[str, Reference]:
    votes = sample.votes
    if votes is None or votes.sum(axis=1).min() < 2:
        return {}

    def deal(random: np.random.Generator) -> Sample:
        # An odd vote goes to the second half.
        first = _without_replacement(votes, votes.sum(axis=1).astype(np.int64) // 2, random)
        answers = answer(first, votes - first, random)
        return replace(sample, human=_shares(first), votes=first, model=_shares(answers))

    return _drawn(measures, deal, len(sample))


def _without_replacement(votes: FloatArray, sizes: FloatArray, random: np.random.Generator) -> FloatArray:
    """Draw as many of each item's votes as `sizes` says. Maps (items, labels) and (items,) to (items, labels)."""
    left, wanted = votes.astype(np.int64), sizes.astype(np.int64)
    drawn = np.zeros_like(left)
    others = left.sum(axis=1)
    for label in range(left.shape[1]):
        others = others - left[:, label]
        drawn[:, label] = random.hypergeometric(left[:, label], others, wanted)
        wanted = wanted - drawn[:, label]
    return drawn.astype(np.float64)


def _shares(counts: FloatArray) -> FloatArray:
    whole: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return whole


def _drawn(
    measures: Mapping[str, Measure],
    deal: Callable[[np.random.Generator], Sample],
    items: int,
    tested: str | None = None,
    draws: int = DRAWS,
) -> dict[str, Reference]:
    """Average each metric over several draws. There are fewer if there are many items: then one tells as much."""
    samples = list(_dealt(deal, max(2, min(draws, -(-DRAWN_ITEMS // items)))))
    found = {}
    for name, measure in measures.items():
        values = [value for each in samples if (value := measure.value(each)) is not None]
        estimates = [known for each in samples if (known := estimate(measure, each))] if name == tested else []
        found[name] = _reference(values, _tested(estimates))
    return found


def _tested(estimates: Sequence[Estimate]) -> Estimate | None:
    """Return the mean of the draws' estimates. How much these differ is an uncertainty of its own."""
    if len(estimates) < 2:
        return None
    beyond = float(np.var([each.value for each in estimates], ddof=1))
    return replace(averaged(estimates), beyond=beyond)


def _reference(values: Sequence[float], tested: Estimate | None) -> Reference:
    if not values:
        return Reference(None)
    mean, half = float(np.mean(values)), 1.96 * float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
    return Reference(mean, Interval(mean - half, mean + half), tested)


def _dealt(deal: Callable[[np.random.Generator], Sample], draws: int) -> Iterator[Sample]:
    random = np.random.default_rng(SEED)
    for _ in range(draws):
        yield deal(random)
