"""Few-shot prompts: other items, answered by people, come first."""

from __future__ import annotations

from judgeharness.plugin import StrategySpec, hookimpl


@hookimpl
def judgeharness_strategies() -> list[StrategySpec]:
    """The strategy."""
    return [
        StrategySpec(
            name="few-shot",
            summary="other items come first, each answered with the letter that most people chose (-o shots=N)",
            target="judgeharness_fewshot.fewshot:FewShot",
            options="judgeharness_fewshot.fewshot:FewShotOptions",
        )
    ]
