"""How often 95 % intervals hold the truth, where the truth is known.

    python benchmarks/coverage.py [SIMULATIONS]

Items are drawn from a made-up population of human and model distributions. The truth is each measure on two million
items of it (distance correlation, whose cost grows with the square: the mean of ten samples of ten thousand).
"""

from __future__ import annotations

import sys
import time

import numpy as np

from judgeharness.components import default_measures
from judgeharness.domain import FloatArray
from judgeharness.registry import Registry
from judgeharness.uncertainty import intervals

ITEMS = 341
SAMPLES = 2_000
POPULATION = 2_000_000
DCOR_POPULATION = 10_000
DCOR_DRAWS = 10
MORE = ("kl-smoothed", "hellinger", "entropy-correlation", "entropy-error", "rankcs", "accuracy", "weighted-f1")


def population(random: np.random.Generator, items: int) -> tuple[FloatArray, FloatArray]:
    """Human distributions around hidden ones, and a model that sees them through noise."""
    hidden = random.dirichlet([0.8, 0.8, 0.8], items)
    votes = np.array(random.multinomial(100, hidden), dtype=np.float64) / 100
    scores = 0.6 * np.log(hidden + 0.02) + random.normal(0, 0.8, (items, 3))
    model = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return votes, model


def main(simulations: int) -> None:
    """Print the share of intervals that hold the truth, for each measure."""
    measures = default_measures(Registry.from_environment(), MORE)
    random = np.random.default_rng(1)
    truth = {}
    for name, measure in measures.items():
        draws, size = (DCOR_DRAWS, DCOR_POPULATION) if name == "dcor" else (1, POPULATION)
        truth[name] = float(np.mean([measure.value(*population(random, size)) or 0.0 for _ in range(draws)]))
    held = dict.fromkeys(measures, 0)
    begun = time.perf_counter()
    for number in range(simulations):
        human, model = population(random, ITEMS)
        for name, interval in intervals(measures, human, model, SAMPLES, seed=number).items():
            held[name] += interval is not None and interval.low <= truth[name] <= interval.high
    print(f"{simulations} simulations of {ITEMS} items, {SAMPLES} samples each, {time.perf_counter() - begun:.0f} s")
    for name, count in held.items():
        print(f"  {name:22} {count / simulations:.1%} of the 95 % intervals hold {truth[name]:.4f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
