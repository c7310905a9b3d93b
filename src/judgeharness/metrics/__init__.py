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
    return [
        *_default(),
        *_divergences(),
        *_distances(),
        *_debiased(),
        *_skills(),
        *_entropies(),
        *_rankings(),
        *_majority(),
    ]


def built_in(name: str) -> MetricSpec:
    """Return the spec of a metric of this package. Raises KeyError if there is none of that name."""
    return {spec.name: spec for spec in judgeharness_metrics()}[name]


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
            heavy_tailed=True,
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
            resampled=False,
            squared="judgeharness.metrics.dcor:dcor_squared",
            name="dcor",
            summary="distance correlation between human and model distributions over the items",
            label="D.Corr",
            direction="higher",
            unit="none",
            range=(0.0, 1.0),
            source="Szekely, Rizzo and Bakirov 2007; Chen et al. 2024",
            default=True,
        ),
    ]


def _divergences() -> list[MetricSpec]:
    return [
        _item(
            "kl",
            "kl_reverse",
            name="kl-reverse",
            heavy_tailed=True,
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
            heavy_tailed=True,
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
            heavy_tailed=True,
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
            heavy_tailed=True,
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
            "brier",
            name="brier",
            summary="Brier score: the squared distance between the distributions",
            label="Brier",
            direction="lower",
            unit="none",
            range=(0.0, 2.0),
            source="Brier 1950, with people's shares in place of the outcome",
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


def _debiased() -> list[MetricSpec]:
    return [
        _item(
            "debiased",
            "kl_debiased",
            name="kl-debiased",
            heavy_tailed=True,
            votes=True,
            summary="KL against the distribution that the votes were drawn from",
            label="KL deb.",
            direction="lower",
            unit="nats",
            range=(None, None),
            source="cross-entropy minus the entropy expected under a Dirichlet-multinomial (Wolpert and Wolf 1995)",
        ),
        _item(
            "debiased",
            "brier_debiased",
            name="brier-debiased",
            votes=True,
            summary="Brier score against the distribution that the votes were drawn from",
            label="Brier deb.",
            direction="lower",
            unit="none",
            range=(None, None),
            source="Brier 1950, minus the variance of the shares, h (1 - h) / (n - 1)",
        ),
    ]


def _skills() -> list[MetricSpec]:
    return [
        _corpus(
            "skill",
            f"{name}_skill",
            name=f"{name}-skill",
            heavy_tailed=name == "kl",
            summary=f"how much lower {label} is than for the uniform distribution, as a share of that",
            label=f"{label} skill",
            direction="higher",
            unit="share",
            range=(None, 1.0),
            source="Murphy 1988; as SimBench's score for TVD (Hu et al. 2025)",
        )
        for name, label in (("kl", "KL"), ("jsd", "JSD"), ("tvd", "TVD"), ("brier", "Brier"))
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
    ]


def _rankings() -> list[MetricSpec]:
    return [
        _item(
            "ranking",
            "rank_consistency",
            name="rankcs",
            summary="share of items whose labels the model ranks as people do (ties by their share)",
            label="RankCS",
            direction="higher",
            unit="share",
            range=(0.0, 1.0),
            source=BAAN,
        ),
        _item(
            "ranking",
            "spearman",
            name="spearman",
            summary="Spearman's correlation over the labels of each item",
            label="rho",
            direction="higher",
            unit="none",
            range=(-1.0, 1.0),
            source="Spearman 1904; 0 for a uniform distribution, as in Chen et al. 2026",
        ),
    ]


def _majority() -> list[MetricSpec]:
    return [
        _item(
            "majority",
            "accuracy",
            name="accuracy",
            summary="share of items whose most probable label is the majority label (ties by their share)",
            label="acc",
            direction="higher",
            unit="share",
            range=(0.0, 1.0),
            source="tied labels divide the first place among them",
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
            has_interval=False,
            summary="expected calibration error against the majority label, in 15 equal bins (biased upwards)",
            label="ECE",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            source="Naeini et al. 2015; Guo et al. 2017",
        ),
        _corpus(
            "majority",
            "rms_calibration_error",
            resampled=False,
            squared="judgeharness.metrics.majority:squared_calibration_error",
            name="rms-calibration",
            summary="root mean square calibration error against the majority label, without ECE's bias",
            label="RMS CE",
            direction="lower",
            unit="probability",
            range=(0.0, 1.0),
            source="Kumar, Liang and Ma 2019",
        ),
    ]
