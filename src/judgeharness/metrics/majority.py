"""Metrics against the majority label.

Tied labels divide the first place among them, for people and the model alike, so that no value depends on the order of
the labels.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.ranking import tops

BINS = 15


def accuracy(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return 1 if the model's most probable label is the majority label, else 0.

    Maps two (items, labels) to (items,). With ties it is the probability of a hit if both are chosen at random among
    the tied labels.
    """
    right: FloatArray = (tops(human) * tops(model)).sum(axis=1)
    return right


def weighted_f1(human: FloatArray, model: FloatArray) -> float:
    """Return the mean F1 of the labels, weighted by how often each is the majority label. Takes two (items, labels).

    As in scikit-learn's f1_score(average="weighted"), a label without true positives has an F1 of 0.
    """
    return float(weighted_f1_resampled(human, model, np.ones((1, len(human))))[0])


def weighted_f1_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `weighted_f1` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    f1, support, _ = _f1_of_labels(human, model, counts)
    result: FloatArray = (f1 * support).sum(axis=1) / counts.sum(axis=1)
    return result


def macro_f1(human: FloatArray, model: FloatArray) -> float:
    """Return the mean F1 of all labels that are the majority or the model's label of any item.

    Takes two (items, labels). The value is that of scikit-learn's f1_score(average="macro").
    """
    return float(macro_f1_resampled(human, model, np.ones((1, len(human))))[0])


def macro_f1_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return `macro_f1` of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    f1, support, predicted = _f1_of_labels(human, model, counts)
    result: FloatArray = f1.sum(axis=1) / (support + predicted > 0).sum(axis=1)
    return result


def _f1_of_labels(
    human: FloatArray, model: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the F1 of each label, and how often it is the majority's and the model's: (samples, labels) each."""
    true, said = tops(human), tops(model)
    support, predicted, hits = counts @ true, counts @ said, counts @ (true * said)
    return 2 * hits / np.maximum(support + predicted, 1e-300), support, predicted


def expected_calibration_error(human: FloatArray, model: FloatArray) -> float:
    """Return sum_b n_b / n |accuracy_b - confidence_b| over 15 bins of equal width. Takes two (items, labels).

    Confidence is the model's largest probability, and accuracy is measured against the majority label. Sources: Naeini
    et al. 2015; Guo et al. 2017. It is biased upwards: even a calibrated judge has some, the more the fewer items there
    are.
    """
    return float(expected_calibration_error_resampled(human, model, np.ones((1, len(human))))[0])


def expected_calibration_error_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the ECE of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    confidence = model.max(axis=1)
    gaps = (accuracy(human, model) - confidence)[:, None] * (_bins(model)[:, None] == np.arange(BINS))
    result: FloatArray = np.abs(counts @ gaps).sum(axis=1) / counts.sum(axis=1)
    return result


def squared_calibration_error(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return the squared calibration error, estimated without bias: on all items, then without each of them.

    Maps two (items, labels) to (1 + items,). Each of the 15 bins adds n_b / n ((accuracy_b - confidence_b)^2 - s_b^2 /
    n_b), where s_b^2 is the variance of the gaps in the bin. Source: Kumar, Liang and Ma 2019, Verified Uncertainty
    Calibration, section 4. A bin with a single item adds nothing.
    """
    gaps = accuracy(human, model) - model.max(axis=1)
    places = _bins(model)
    n, first, second = (_sums(places, weights) for weights in (np.ones(len(gaps)), gaps, gaps**2))
    # In a bin of n, (sum of gaps)^2 minus the sum of squares is n (n - 1) times the squared mean gap without bias.
    whole = _ratio(first**2 - second, n - 1)
    one = (first[places] - gaps) ** 2 - (second[places] - gaps**2)
    without = whole.sum() - whole[places] + _ratio(one, n[places] - 2)
    return np.array([whole.sum() / len(gaps), *(without / max(len(gaps) - 1, 1))])


def rms_calibration_error(human: FloatArray, model: FloatArray) -> float:
    """Return the root of `squared_calibration_error`, or 0 if that is below zero. Takes two (items, labels)."""
    return float(np.sqrt(max(0.0, squared_calibration_error(human, model)[0])))


def _bins(model: FloatArray) -> npt.NDArray[np.intp]:
    found: npt.NDArray[np.intp] = np.clip(np.ceil(model.max(axis=1) * BINS).astype(np.intp) - 1, 0, BINS - 1)
    return found


def _sums(places: npt.NDArray[np.intp], weights: FloatArray) -> FloatArray:
    return np.asarray(np.bincount(places, weights, BINS), dtype=np.float64)


def _ratio(upper: FloatArray, lower: FloatArray) -> FloatArray:
    return np.where(lower > 0, upper / np.maximum(lower, 1), 0.0)
