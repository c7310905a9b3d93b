"""Prompt strategies: which prompts are asked of one item."""

from __future__ import annotations

from judgeharness.hookspecs import hookimpl
from judgeharness.specs import StrategySpec

_MODULE = "judgeharness.strategies.selections"


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """The five strategies of "Seeing the Big through the Small"."""
    return [
        StrategySpec(
            name="no-explanation",
            summary="the item alone, under every order of the options",
            target=f"{_MODULE}:no_explanation",
            options=f"{_MODULE}:OrderOptions",
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
    ]
