"""Against the majority's label. Of tied labels the first in the task's order is taken, for people and model alike."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray

BINS = 15


def accuracy(human: FloatArray, model: FloatArray) -> FloatArray:
    """1 where the model's most probable label is the majority's, else 0; (items, labels) twice to (items,)."""
    right: FloatArray = (human.argmax(axis=1) == model.argmax(axis=1)).astype(np.float64)
    return right


def weighted_f1(human: FloatArray, model: FloatArray) -> float:
    """F1 of each label, weighted by how often it is the majority's; (items, labels) twice to a number.

    As scikit-learn's f1_score(average="weighted"): a label without true positives has F1 0.
    """
    return float(weighted_f1_resampled(human, model, np.ones((1, len(human))))[0])


def weighted_f1_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """`weighted_f1` of samples in which item i stands counts[b, i] times; (samples, items) to (samples,)."""
    f1, support, _ = _f1_of_labels(human, model, counts)
    result: FloatArray = (f1 * support).sum(axis=1) / counts.sum(axis=1)
    return result


def macro_f1(human: FloatArray, model: FloatArray) -> float:
    """The mean F1 of the labels that are the majority's or the model's for any item; (items, labels) twice to a number.

    As scikit-learn's f1_score(average="macro").
    """
    return float(macro_f1_resampled(human, model, np.ones((1, len(human))))[0])


def macro_f1_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """`macro_f1` of samples in which item i stands counts[b, i] times; (samples, items) to (samples,)."""
    f1, support, predicted = _f1_of_labels(human, model, counts)
    result: FloatArray = f1.sum(axis=1) / (support + predicted > 0).sum(axis=1)
    return result


def _f1_of_labels(
    human: FloatArray, model: FloatArray, counts: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """F1 of each label, and how often it is the majority's and the model's; (samples, labels) each."""
    labels = np.arange(human.shape[1])
    true = (human.argmax(axis=1)[:, None] == labels).astype(np.float64)
    said = (model.argmax(axis=1)[:, None] == labels).astype(np.float64)
    support, predicted, hits = counts @ true, counts @ said, counts @ (true * said)
    return 2 * hits / np.maximum(support + predicted, 1e-300), support, predicted


def expected_calibration_error(human: FloatArray, model: FloatArray) -> float:
    """sum_b n_b / n |accuracy_b - confidence_b| over 15 bins of equal width; (items, labels) twice to a number.

    Naeini et al. 2015; Guo et al. 2017. Confidence is the model's largest probability, accuracy that against the
    majority's label.
    """
    return float(expected_calibration_error_resampled(human, model, np.ones((1, len(human))))[0])


def expected_calibration_error_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """The same of samples in which item i stands counts[b, i] times; (samples, items) to (samples,)."""
    confidence = model.max(axis=1)
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = (accuracy(human, model) - confidence)[:, None] * (places[:, None] == np.arange(BINS))
    result: FloatArray = np.abs(counts @ gaps).sum(axis=1) / counts.sum(axis=1)
    return result
