"""How people compare with people: the ceiling for any judge, and what a few annotators are worth.

Votes are counts of shape (items, labels). Each value is a mean over several draws with one seed. There are fewer draws
if there are many items, because then one draw tells as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray, Item
from judgeharness.metrics.measure import Measure

HALVES = "human split-half"
"""The name for one half of the votes measured against the other."""

DRAWS = 20
DRAWN_ITEMS = 40_000
MAX_VOTES = 1_000_000
MIN_FOR_HALVES = 20
SEED = 0

Votes = npt.NDArray[np.int64]
Pair = tuple[FloatArray, FloatArray]


def votes_of(items: Sequence[Item]) -> Votes | None:
    """Return the items' votes.

    The result is None if an item has no votes, fewer than two votes, or fractions of votes, or if a label has more than
    MAX_VOTES votes.
    """
    if not items or any(item.votes is None for item in items):
        return None
    counts = np.array([item.votes for item in items], dtype=np.float64)
    if counts.max() > MAX_VOTES:
        return None
    whole = counts.astype(np.int64)
    return whole if (counts == whole).all() and (whole.sum(axis=1) >= 2).all() else None


def are_a_ceiling(votes: Votes) -> bool:
    """Return whether the split-half shows how close a judge can come: every item has at least MIN_FOR_HALVES votes.

    With few votes, each half is one or two people, and any judge that spreads its probability beats them.
    """
    return bool((votes.sum(axis=1) >= MIN_FOR_HALVES).all())


def split_halves(votes: Votes, random: np.random.Generator) -> Pair:
    """Split each item's votes at random into two halves, as distributions. An odd vote goes to the second half."""
    first = np.array([random.multivariate_hypergeometric(row, int(row.sum()) // 2) for row in votes])
    return _distributions(first), _distributions(votes - first)


def annotators(votes: Votes, n: int, random: np.random.Generator) -> Pair:
    """Return the distribution of all votes, and that of n votes drawn from it with replacement."""
    whole = _distributions(votes)
    return whole, random.multinomial(n, whole) / n


def halves_measured(votes: Votes, measures: Mapping[str, Measure]) -> dict[str, float | None]:
    """Measure one half of the people against the other with each metric."""
    return _averaged(measures, lambda random: split_halves(votes, random), len(votes))


def annotators_measured(votes: Votes, n: int, measures: Mapping[str, Measure]) -> dict[str, float | None]:
    """Measure n people against all of them with each metric."""
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
