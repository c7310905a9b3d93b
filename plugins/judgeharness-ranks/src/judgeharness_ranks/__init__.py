"""Whether a judge puts the labels in the order that people do."""

from __future__ import annotations

from judgeharness.plugin import CommandSpec, MetricSpec, hookimpl


@hookimpl
def judgeharness_metrics() -> list[MetricSpec]:
    """The metric."""
    return [
        MetricSpec(
            name="kendall",
            summary="Kendall's tau-b between the probabilities of people and judge, item by item",
            target="judgeharness_ranks.kendall:kendall",
            label="τ-b",
            direction="higher",
            unit="correlation",
            range=(-1.0, 1.0),
            level="item",
            source="Kendall 1945, The treatment of ties in ranking problems",
        )
    ]


@hookimpl
def judgeharness_commands() -> list[CommandSpec]:
    """The command."""
    return [
        CommandSpec(
            name="furthest",
            summary="List the items on which a judge is furthest from people.",
            target="judgeharness_ranks.furthest:command",
        )
    ]
