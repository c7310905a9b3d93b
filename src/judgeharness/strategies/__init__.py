"""Prompt strategies: which prompts are asked of one item."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import StrategySpec

_MODULE = "judgeharness.strategies.selections"


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """The five strategies of "Seeing the Big through the Small", and three in which the model writes."""
    return [
        StrategySpec(
            name="no-explanation",
            summary="the item alone, under every order of the options",
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
            summary="as serial, each explanation followed by its annotator's label",
            target=f"{_MODULE}:serial_explicit",
            options=f"{_MODULE}:SerialOptions",
        ),
        StrategySpec(
            name="parallel",
            summary="one explanation a prompt (-o k=N: every ordered selection of N)",
            target=f"{_MODULE}:parallel",
            options=f"{_MODULE}:ParallelOptions",
        ),
        StrategySpec(
            name="parallel-explicit",
            summary="as parallel, each explanation followed by its annotator's label",
            target=f"{_MODULE}:parallel_explicit",
            options=f"{_MODULE}:ParallelOptions",
        ),
        StrategySpec(
            name="verbalized",
            summary="the model states the percentages itself, under every order of the options",
            target="judgeharness.strategies.verbalized:verbalized",
            options="judgeharness.strategies.verbalized:VerbalizedOptions",
        ),
        StrategySpec(
            name="sampling",
            summary="N answers are drawn and counted, the options in another order each time (-o n=N)",
            target="judgeharness.strategies.sampling:Sampling",
            options="judgeharness.strategies.sampling:SamplingOptions",
        ),
        StrategySpec(
            name="cot",
            summary="the model writes its reasons first, then the letters are scored",
            target="judgeharness.strategies.cot:cot",
            options="judgeharness.strategies.cot:CotOptions",
        ),
    ]
