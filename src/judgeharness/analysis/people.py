"""What people reach against people: the ceiling for any judge, and what a few annotators are worth.

Votes are counts (items, labels). Each figure is the mean over several draws with one seed: over fewer where there are
many items, of which one draw says as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray, Item
from judgeharness.metrics.measure import Measure

HALVES = "human split-half"
"""The name of what one half of the votes reaches against the other."""

DRAWS = 20
DRAWN_ITEMS = 40_000
MAX_VOTES = 1_000_000
MIN_FOR_HALVES = 20
SEED = 0

Votes = npt.NDArray[np.int64]
Pair = tuple[FloatArray, FloatArray]


def votes_of(items: Sequence[Item]) -> Votes | None:
    """The items' votes; None where an item has none, none that are counts, or fewer than two or more than can be."""
    if not items or any(item.votes is None for item in items):
        return None
    counts = np.array([item.votes for item in items], dtype=np.float64)
    if counts.max() > MAX_VOTES:
        return None
    whole = counts.astype(np.int64)
    return whole if (counts == whole).all() and (whole.sum(axis=1) >= 2).all() else None


def are_a_ceiling(votes: Votes) -> bool:
    """Whether halves say how near a judge can come: every item has MIN_FOR_HALVES votes or more.

    Of a few votes each half is one or two people, whom any judge that is in doubt beats.
    """
    return bool((votes.sum(axis=1) >= MIN_FOR_HALVES).all())


def split_halves(votes: Votes, random: np.random.Generator) -> Pair:
    """Each item's votes dealt into two halves, as distributions; of an odd number the second half has one more."""
    first = np.array([random.multivariate_hypergeometric(row, int(row.sum()) // 2) for row in votes])
    return _distributions(first), _distributions(votes - first)


def annotators(votes: Votes, n: int, random: np.random.Generator) -> Pair:
    """The distribution of all votes, and that of n votes drawn from it, with replacement."""
    whole = _distributions(votes)
    return whole, random.multinomial(n, whole) / n


def halves_measured(votes: Votes, measures: Mapping[str, Measure]) -> dict[str, float | None]:
    """Each measure of one half of the people against the other."""
    return _averaged(measures, lambda random: split_halves(votes, random), len(votes))


def annotators_measured(votes: Votes, n: int, measures: Mapping[str, Measure]) -> dict[str, float | None]:
    """Each measure of n people against all."""
    return _averaged(measures, lambda random: annotators(votes, n, random), len(votes))


def _averaged(
    measures: Mapping[str, Measure], deal: Callable[[np.random.Generator], Pair], items: int
) -> dict[str, float | None]:
    draws = min(DRAWS, -(-DRAWN_ITEMS // items))
    pairs = list(_dealt(deal, draws))
    found: dict[str, float | None] = {}
    for name, measure in measures.items():
        values = [value for human, model in pairs if (value := measure.value(human, model)) is not None]
        found[name] = float(np.mean(values)) if values else None
    return found


def _dealt(deal: Callable[[np.random.Generator], Pair], draws: int) -> Iterator[Pair]:
    random = np.random.default_rng(SEED)
    for _ in range(draws):
        yield deal(random)


def _distributions(counts: npt.NDArray[np.int64]) -> FloatArray:
    result: FloatArray = counts / counts.sum(axis=1, keepdims=True)
    return result
