"""Prompt strategies: the prompts for one item."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import StrategySpec

_MODULE = "judgeharness.strategies.selections"


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """Return the five strategies of "Seeing the Big through the Small", and three with generated answers."""
    return [
        StrategySpec(
            name="no-explanation",
            summary="the item without explanations, with the options in every order",
            target=f"{_MODULE}:no_explanation",
            options="judgeharness.strategies.options:OrderOptions",
        ),
        StrategySpec(
            name="serial",
            summary="all explanations in one prompt, in every order (-o k=N: every ordered selection of N)",
            target=f"{_MODULE}:serial",
            options=f"{_MODULE}:SerialOptions",
        ),
        StrategySpec(
            name="serial-explicit",
            summary="like serial, with the label of the annotator after each explanation",
            target=f"{_MODULE}:serial_explicit",
            options=f"{_MODULE}:SerialOptions",
        ),
        StrategySpec(
            name="parallel",
            summary="one explanation per prompt (-o k=N: every ordered selection of N)",
            target=f"{_MODULE}:parallel",
            options=f"{_MODULE}:ParallelOptions",
        ),
        StrategySpec(
            name="parallel-explicit",
            summary="like parallel, with the label of the annotator after each explanation",
            target=f"{_MODULE}:parallel_explicit",
            options=f"{_MODULE}:ParallelOptions",
        ),
        StrategySpec(
            name="verbalized",
            summary="the model states the percentages itself, with the options in every order",
            target="judgeharness.strategies.verbalized:verbalized",
            options="judgeharness.strategies.verbalized:VerbalizedOptions",
        ),
        StrategySpec(
            name="sampling",
            summary="counts N sampled answers, each with the options in a random order (-o n=N)",
            target="judgeharness.strategies.sampling:Sampling",
            options="judgeharness.strategies.sampling:SamplingOptions",
        ),
        StrategySpec(
            name="cot",
            summary="the model generates its reasons first, then the letters are scored",
            target="judgeharness.strategies.cot:cot",
            options="judgeharness.strategies.cot:CotOptions",
        ),
    ]
