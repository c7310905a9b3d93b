"""Metrics between human and model judgment distributions, each (items, labels)."""

from __future__ import annotations

from judgeharness.hookspecs import hookimpl
from judgeharness.specs import MetricSpec


@hookimpl
def judgeharness_metrics() -> list[MetricSpec]:
    """The four measures of "Seeing the Big through the Small"."""
    return [
        MetricSpec(
            name="kl",
            summary="Kullback-Leibler divergence of the model's from the human distribution, KL(human || model)",
            target="judgeharness.metrics.kl:kl",
            label="KL",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            level="item",
            source="Kullback and Leibler 1951; both clipped to [1e-10, 1] and renormalised as in Chen et al. 2024",
            default=True,
        ),
        MetricSpec(
            name="jsd",
            summary="Jensen-Shannon distance: the square root of the divergence in nats",
            target="judgeharness.metrics.jsd:jsd",
            label="JSD",
            direction="lower",
            unit="square root of nats",
            range=(0.0, 0.8326),
            level="item",
            source="Endres and Schindelin 2003; as in Nie et al. 2020 and Chen et al. 2024",
            default=True,
        ),
        MetricSpec(
            name="tvd",
            summary="total variation distance: half the L1 distance",
            target="judgeharness.metrics.tvd:tvd",
            label="TVD",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            level="item",
            source="Baan et al. 2022; Chen et al. 2024",
            default=True,
        ),
        MetricSpec(
            name="dcor",
            summary="distance correlation between the human and the model distributions of all items",
            target="judgeharness.metrics.dcor:dcor",
            label="D.Corr",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            level="corpus",
            source="Szekely, Rizzo and Bakirov 2007; Chen et al. 2024",
            default=True,
        ),
    ]
