"""How often statistics are right where the truth is known: intervals, tests, ranks and the noise floor.

    python benchmarks/statistics.py [intervals|compare|ranks|floor ...] [--simulations N] [--items N ...]

People's distributions are drawn from a Dirichlet distribution, their votes from these. Judges see them through noise:
`smooth` judges give every label some probability, `heavy` ones are very sure now and then, and `rare` ones rule out a
label on 3 % of the items. The truth of each metric is its value on a large population (of the square of distance
correlation: the mean of unbiased estimates).
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Iterator, Mapping

import numpy as np

from judgeharness.analysis.intervals import estimate, intervals
from judgeharness.analysis.people import noise_floor
from judgeharness.analysis.significance import difference, ranks
from judgeharness.evaluation.components import default_measures
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.plugins.registry import Registry

POPULATION = 400_000
ITEMS = (30, 100, 341)
CASES = (
    *((kind, votes, 3) for kind in ("smooth", "heavy", "rare") for votes in (3, 5, 20, 100)),
    ("smooth", 5, 2), ("smooth", 100, 2), ("smooth", 5, 5), ("smooth", 100, 5),
)  # fmt: skip
"""The kind of judge, the votes of an item, and the number of labels."""
MORE = (
    "kl-smoothed", "kl-debiased", "brier", "brier-debiased", "entce", "entropy-correlation", "rankcs", "spearman",
    "accuracy", "weighted-f1", "macro-f1", "rms-calibration",
)  # fmt: skip
COMPARED = ("jsd", "kl", "tvd", "dcor", "accuracy", "weighted-f1", "entce", "entropy-correlation")


def people(random: np.random.Generator, items: int, votes: int, labels: int) -> Sample:
    """Return items with votes, and the distribution behind them as the judge."""
    hidden = random.dirichlet(np.full(labels, 0.8), items)
    counts = random.multinomial(votes, hidden).astype(np.float64)
    return Sample(counts / votes, hidden, counts)


def judge(random: np.random.Generator, sample: Sample, kind: str = "smooth", strength: float = 0.6) -> Sample:
    """Return the same items with a judge that sees the distributions of `people` through noise."""
    noise = (
        2.5 * random.standard_t(3, sample.model.shape) if kind == "heavy" else random.normal(0, 0.8, sample.model.shape)
    )
    scores = (1.5 if kind == "heavy" else strength) * np.log(sample.model + 0.02) + noise
    model = np.exp(scores - scores.max(axis=1, keepdims=True))
    model /= model.sum(axis=1, keepdims=True)
    if kind == "rare":
        sure = random.random(len(model)) < 0.03
        model[sure] = np.eye(model.shape[1])[model[sure].argmin(axis=1)]
    return sample.judged(model)


def sharpened(sample: Sample, power: float) -> Sample:
    """Return the same judge on another scale."""
    model = sample.model**power
    return sample.judged(model / model.sum(axis=1, keepdims=True))


def truths(measures: Mapping[str, Measure], kind: str, votes: int, labels: int, seed: int = 0) -> dict[str, float]:
    """Return the value of each metric on a population. Debiased ones are measured against what is behind the votes."""
    random = np.random.default_rng(seed)
    behind = people(random, POPULATION, votes, labels)
    seen = judge(random, behind, kind)
    hidden = Sample(behind.model, seen.model)
    found = {}
    for name, measure in measures.items():
        if name.endswith("-debiased"):
            found[name] = measures[name.removesuffix("-debiased")].value(hidden)
        elif measure.squared is not None and name == "dcor":
            parts = [judge(random, people(random, 4_000, votes, labels), kind) for _ in range(12)]
            found[name] = math.sqrt(max(0.0, float(np.mean([measure.squares(part)[0] for part in parts]))))
        else:
            found[name] = measure.value(seen)
    return {name: value for name, value in found.items() if value is not None}


def coverage(measures: Mapping[str, Measure], simulations: int, sizes: list[int]) -> Iterator[str]:
    """Yield how often the intervals hold the truth, a line for each kind of sample."""
    for kind, votes, labels in CASES:
        truth = truths(measures, kind, votes, labels)
        for items in sizes:
            random = np.random.default_rng(items)
            held, shown = dict.fromkeys(truth, 0), dict.fromkeys(truth, 0)
            for _ in range(simulations):
                found = intervals(measures, judge(random, people(random, items, votes, labels), kind))
                for name, value in truth.items():
                    each = found[name]
                    shown[name] += each is not None
                    held[name] += each is not None and each.low - 1e-9 <= value <= each.high + 1e-9
            shares = (f"{name} {held[name] / shown[name]:.3f}" for name in truth if shown[name] > simulations / 2)
            yield f"intervals {kind}, {labels} labels, {votes} votes, {items} items: {', '.join(shares)}"


def alarms(measures: Mapping[str, Measure], simulations: int, sizes: list[int]) -> Iterator[str]:
    """Yield how often equal judges are called different, on one scale and on two, and the power for unequal ones."""
    chosen = {name: measures[name] for name in COMPARED}
    for items in sizes:
        random = np.random.default_rng(items)
        equal, scaled, unequal = (dict.fromkeys(COMPARED, 0) for _ in range(3))
        powers = _equal_powers(chosen)
        for _ in range(simulations):
            whole = people(random, items, 100, 3)
            one, other, weak = judge(random, whole), judge(random, whole), judge(random, whole, strength=0.3)
            for name, measure in chosen.items():
                equal[name] += (difference(measure, one, other).p or 1.0) < 0.05
                if name in powers:
                    scaled[name] += (difference(measure, sharpened(one, powers[name]), other).p or 1.0) < 0.05
                unequal[name] += (difference(measure, weak, one).p or 1.0) < 0.05
        for title, counts in (("equal", equal), ("equal on two scales", scaled), ("power .6 to .3", unequal)):
            names = [name for name in COMPARED if title != "equal on two scales" or name in powers]
            yield f"compare {title}, {items} items: " + ", ".join(f"{n} {counts[n] / simulations:.3f}" for n in names)


def _equal_powers(measures: Mapping[str, Measure]) -> dict[str, float]:
    """Return the other power at which a judge has the same value as at power 1, where there is one."""
    random = np.random.default_rng(1)
    whole = judge(random, people(random, POPULATION // 4, 100, 3))
    found = {"accuracy": 0.3, "weighted-f1": 0.3}
    for name in ("jsd", "kl", "tvd", "entce"):
        aim = abs(measures[name].value(whole) or 0.0)
        powers = np.geomspace(0.2, 5, 120)
        gaps = np.array([abs(measures[name].value(sharpened(whole, power)) or 0.0) - aim for power in powers])
        signs = np.sign(gaps)
        crossings = [at for at in np.flatnonzero(signs[1:] != signs[:-1]) if abs(powers[at] - 1) > 0.15]
        if crossings:
            at = crossings[0]
            share = gaps[at] / (gaps[at] - gaps[at + 1])
            found[name] = float(powers[at] + share * (powers[at + 1] - powers[at]))
    return found


def families(measures: Mapping[str, Measure], simulations: int, sizes: list[int]) -> Iterator[str]:
    """Yield how often any of several equal judges has another rank than the first."""
    for name in ("jsd", "dcor", "entropy-correlation"):
        for items in sizes:
            for count in (2, 10, 40):
                random, apart = np.random.default_rng(items + count), 0
                times = simulations if name != "dcor" or count < 40 or items < 200 else max(20, simulations // 10)
                for _ in range(times):
                    whole = people(random, items, 100, 3)
                    found = {str(key): estimate(measures[name], judge(random, whole)) for key in range(count)}
                    known = {key: each for key, each in found.items() if each is not None}
                    apart += max(ranks(measures[name].spec, known).values()) > 1
                yield f"ranks {name}, {items} items, {count} equal judges: {apart / times:.3f} of {times} boards"


def floors(measures: Mapping[str, Measure], simulations: int, sizes: list[int]) -> Iterator[str]:
    """Yield the noise floor beside what the distribution behind the votes gets."""
    for votes in (2, 3, 5, 20, 100):
        for items in sizes:
            random, times = np.random.default_rng(items), max(10, simulations // 20)
            gaps: dict[str, list[float]] = {name: [] for name in ("kl", "jsd", "tvd", "dcor")}
            for _ in range(times):
                whole = people(random, items, votes, 3)
                for name, found in noise_floor(whole, {name: measures[name] for name in gaps}).items():
                    gaps[name].append((found.value or 0.0) - (measures[name].value(whole) or 0.0))
            means = ", ".join(f"{name} {np.mean(each):+.4f} (sd {np.std(each):.4f})" for name, each in gaps.items())
            yield f"floor minus truth, {votes} votes, {items} items, {times} times: {means}"


KINDS = {"intervals": coverage, "compare": alarms, "ranks": families, "floor": floors}


def main() -> None:
    """Print a line for each simulation."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kinds", nargs="*", choices=[[], *KINDS])
    parser.add_argument("--simulations", type=int, default=2_000)
    parser.add_argument("--items", type=int, nargs="*", default=list(ITEMS))
    given = parser.parse_args()
    measures = default_measures(Registry.from_environment(), MORE)
    for kind in given.kinds or KINDS:
        begun = time.perf_counter()
        for line in KINDS[kind](measures, given.simulations, given.items):
            print(line, flush=True)
        print(f"{kind}: {given.simulations} simulations in {time.perf_counter() - begun:.0f} s", flush=True)


if __name__ == "__main__":
    main()
