"""How often 95 % intervals hold the truth, where the truth is known.

    python benchmarks/intervals.py [SIMULATIONS]

Items are drawn from made-up populations of human and model distributions: the judge sees much of what people see, or
little, and samples are large or small. The truth is each measure on two million items (distance correlation, whose cost
grows with the square: from the mean of ten samples of five thousand, its square estimated without bias by dcor).
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping

import dcor
import numpy as np

from judgeharness.analysis.intervals import intervals
from judgeharness.domain.nouns import FloatArray
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure
from judgeharness.plugins.registry import Registry

SAMPLES = 2_000
POPULATION = 2_000_000
DCOR_POPULATION = 5_000
DCOR_DRAWS = 10
CASES = ((341, 0.6), (341, 0.1), (30, 0.6))
"""Items of a sample, and how much of what people see the judge sees."""
MORE = ("kl-smoothed", "hellinger", "entropy-correlation", "entropy-error", "rankcs", "accuracy", "weighted-f1")


def population(random: np.random.Generator, items: int, strength: float) -> tuple[FloatArray, FloatArray]:
    """Human distributions around hidden ones, and a model that sees them through noise."""
    hidden = random.dirichlet([0.8, 0.8, 0.8], items)
    votes = np.array(random.multinomial(100, hidden), dtype=np.float64) / 100
    scores = strength * np.log(hidden + 0.02) + random.normal(0, 0.8, (items, 3))
    model = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return votes, model


def truths(measures: Mapping[str, Measure], random: np.random.Generator, strength: float) -> dict[str, float]:
    """Each measure of the population."""
    found = {}
    for name, measure in measures.items():
        if name == "dcor":
            draws = [population(random, DCOR_POPULATION, strength) for _ in range(DCOR_DRAWS)]
            found[name] = math.sqrt(max(0.0, np.mean([dcor.u_distance_correlation_sqr(*draw) for draw in draws])))
        else:
            found[name] = measure.value(*population(random, POPULATION, strength)) or 0.0
    return found


def main(simulations: int) -> None:
    """Print the share of intervals that hold the truth, for each population and measure."""
    measures = default_measures(Registry.from_environment(), MORE)
    random = np.random.default_rng(1)
    for items, strength in CASES:
        truth = truths(measures, random, strength)
        held = dict.fromkeys(measures, 0)
        begun = time.perf_counter()
        for number in range(simulations):
            human, model = population(random, items, strength)
            for name, interval in intervals(measures, human, model, SAMPLES, seed=number).items():
                held[name] += interval is not None and interval.low <= truth[name] <= interval.high
        print(f"{simulations} simulations of {items} items, strength {strength}, {time.perf_counter() - begun:.0f} s")
        for name, count in held.items():
            print(f"  {name:22} {count / simulations:.1%} of the 95 % intervals hold {truth[name]:.4f}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
