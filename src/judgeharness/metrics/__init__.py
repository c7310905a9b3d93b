"""Metrics between human and model judgment distributions, both arrays of shape (items, labels)."""

from __future__ import annotations

from typing import Any

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import MetricSpec

BAAN = "Baan et al. 2022, Stop Measuring Calibration When Humans Disagree"
KURNIAWAN = "Kurniawan et al. 2025, Training and Evaluating with Human Label Variation"


@hookimpl
def judgeharness_metrics() -> list[MetricSpec]:
    """Return the four metrics of "Seeing the Big through the Small", and those that --metric adds."""
    return [*_default(), *_divergences(), *_distances(), *_entropies(), *_majority()]


def _item(module: str, function: str, **fields: Any) -> MetricSpec:
    return MetricSpec(target=f"judgeharness.metrics.{module}:{function}", level="item", **fields)


def _corpus(module: str, function: str, resampled: bool = True, **fields: Any) -> MetricSpec:
    target = f"judgeharness.metrics.{module}:{function}"
    return MetricSpec(target=target, level="corpus", resampled=f"{target}_resampled" if resampled else None, **fields)


def _default() -> list[MetricSpec]:
    return [
        _item(
            "kl",
            "kl",
            name="kl",
            summary="Kullback-Leibler divergence, KL(human || model)",
            label="KL",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source="Kullback and Leibler 1951; both clipped to [1e-10, 1] and renormalised as in Chen et al. 2024",
            default=True,
        ),
        _item(
            "jsd",
            "jsd",
            name="jsd",
            summary="Jensen-Shannon distance: the square root of the divergence in nats",
            label="JSD",
            direction="lower",
            unit="square root of nats",
            range=(0.0, 0.8326),
            source="Endres and Schindelin 2003; as in Nie et al. 2020 and Chen et al. 2024",
            default=True,
        ),
        _item(
            "tvd",
            "tvd",
            name="tvd",
            summary="total variation distance: half the L1 distance",
            label="TVD",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            source="Baan et al. 2022; Chen et al. 2024",
            default=True,
        ),
        _corpus(
            "dcor",
            "dcor",
            name="dcor",
            summary="distance correlation between human and model distributions over the items",
            label="D.Corr",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            source="Szekely, Rizzo and Bakirov 2007; Chen et al. 2024",
            interval="judgeharness.metrics.dcor:dcor_interval",
            default=True,
        ),
    ]


def _divergences() -> list[MetricSpec]:
    return [
        _item(
            "kl",
            "kl_reverse",
            name="kl-reverse",
            summary="Kullback-Leibler divergence in the reverse direction, KL(model || human)",
            label="KL(m||h)",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source="Kullback and Leibler 1951; clipped as kl",
        ),
        _item(
            "kl",
            "kl_torch_mean",
            name="kl-torch-mean",
            summary="KL(human || model) divided by the number of labels, as in fine-tuning tables",
            label="KL/K",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source="torch's kl_div(reduction='mean'); Chen et al. 2024, fine-tuning",
        ),
        _item(
            "kl",
            "kl_smoothed",
            name="kl-smoothed",
            summary="KL(human || model) after mixing 1 % of the uniform distribution into the model's",
            label="KL 1%",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source="Jelinek and Mercer 1980",
        ),
        _item(
            "jsd",
            "js_divergence",
            name="js-divergence",
            summary="Jensen-Shannon divergence, base 2",
            label="JS div",
            direction="lower",
            unit="bits",
            range=(0.0, 1.0),
            source="Lin 1991",
        ),
        _item(
            "distances",
            "cross_entropy",
            name="cross-entropy",
            summary="cross-entropy of the model's distribution under the human one",
            label="CE",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source="Shannon 1948; the model's clipped to 1e-10 from below",
        ),
    ]


def _distances() -> list[MetricSpec]:
    return [
        _item(
            "distances",
            "hellinger",
            name="hellinger",
            summary="Hellinger distance",
            label="Hellinger",
            direction="lower",
            unit="none",
            range=(0.0, 1.0),
            source="Hellinger 1909",
        ),
        _item(
            "distances",
            "wasserstein",
            name="wasserstein",
            summary="earth mover's distance for ordered labels; neighbours are 1 apart",
            label="EMD",
            direction="lower",
            unit="labels",
            range=(0.0, None),
            source="Vallender 1974",
            ordinal=True,
        ),
        _item(
            "tvd",
            "tvd",
            name="distce",
            summary="distance calibration error: the name of Baan et al. for total variation distance",
            label="DistCE",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            source=BAAN,
        ),
        _item(
            "tvd",
            "soft_accuracy",
            name="soft-accuracy",
            summary="overlap of the two distributions: 1 - TVD",
            label="soft acc",
            direction="higher",
            unit="probability",
            range=(0.0, 1.0),
            source=KURNIAWAN,
        ),
        _corpus(
            "tvd",
            "soft_micro_f1",
            resampled=False,
            name="soft-micro-f1",
            summary="micro-F1 with overlaps as hits; equal to soft-accuracy for distributions",
            label="soft F1",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            source=KURNIAWAN,
        ),
    ]


def _entropies() -> list[MetricSpec]:
    return [
        _corpus(
            "entropy",
            "entropy_correlation",
            name="entropy-correlation",
            summary="Pearson correlation between human and model entropies over the items",
            label="r(H)",
            direction="higher",
            unit="none",
            range=(-1.0, 1.0),
            source="Pearson 1895; Pavlick and Kwiatkowski 2019 for the question",
        ),
        _item(
            "entropy",
            "entropy_error",
            name="entropy-error",
            summary="absolute difference between human and model entropy",
            label="|dH|",
            direction="lower",
            unit="nats",
            range=(0.0, None),
            source=f"the size of EntCE, {BAAN}",
        ),
        _item(
            "entropy",
            "entropy_calibration",
            name="entce",
            summary="entropy calibration error: model entropy minus human entropy",
            label="EntCE",
            direction="zero",
            unit="nats",
            range=(None, None),
            source=BAAN,
        ),
        _item(
            "ranking",
            "rank_consistency",
            name="rankcs",
            summary="share of items whose labels the model ranks as people do",
            label="RankCS",
            direction="higher",
            unit="share",
            range=(0.0, 1.0),
            source=BAAN,
        ),
    ]


def _majority() -> list[MetricSpec]:
    return [
        _item(
            "majority",
            "accuracy",
            name="accuracy",
            summary="share of items whose most probable label is the majority label (ties: the first)",
            label="acc",
            direction="higher",
            unit="share",
            range=(0.0, 1.0),
            source="ties go to the first label in the task's order",
        ),
        _corpus(
            "majority",
            "weighted_f1",
            name="weighted-f1",
            summary="F1 against the majority label, weighted by the frequency of each label",
            label="F1",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            source="as scikit-learn's f1_score(average='weighted'); ties as for accuracy",
        ),
        _corpus(
            "majority",
            "macro_f1",
            name="macro-f1",
            summary="F1 against the majority label, averaged over labels",
            label="macro F1",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            source="as scikit-learn's f1_score(average='macro'); ties as for accuracy",
        ),
        _corpus(
            "majority",
            "expected_calibration_error",
            name="ece",
            summary="expected calibration error against the majority label, with 15 equal-width bins",
            label="ECE",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            source="Naeini et al. 2015; Guo et al. 2017",
        ),
    ]
