"""Metrics against the majority label.

For people and the model alike, the first of tied labels in the task's order counts.
"""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray

BINS = 15


def accuracy(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return 1 if the model's most probable label is the majority label, else 0.

    Maps two (items, labels) to (items,).
    """
    right: FloatArray = (human.argmax(axis=1) == model.argmax(axis=1)).astype(np.float64)
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
    labels = np.arange(human.shape[1])
    true = (human.argmax(axis=1)[:, None] == labels).astype(np.float64)
    said = (model.argmax(axis=1)[:, None] == labels).astype(np.float64)
    support, predicted, hits = counts @ true, counts @ said, counts @ (true * said)
    return 2 * hits / np.maximum(support + predicted, 1e-300), support, predicted


def expected_calibration_error(human: FloatArray, model: FloatArray) -> float:
    """Return sum_b n_b / n |accuracy_b - confidence_b| over 15 bins of equal width. Takes two (items, labels).

    Confidence is the model's largest probability, and accuracy is measured against the majority label. Sources: Naeini
    et al. 2015; Guo et al. 2017.
    """
    return float(expected_calibration_error_resampled(human, model, np.ones((1, len(human))))[0])


def expected_calibration_error_resampled(human: FloatArray, model: FloatArray, counts: FloatArray) -> FloatArray:
    """Return the ECE of samples that contain item i counts[b, i] times. Maps (samples, items) to (samples,)."""
    confidence = model.max(axis=1)
    places = np.clip(np.ceil(confidence * BINS).astype(int) - 1, 0, BINS - 1)
    gaps = (accuracy(human, model) - confidence)[:, None] * (places[:, None] == np.arange(BINS))
    result: FloatArray = np.abs(counts @ gaps).sum(axis=1) / counts.sum(axis=1)
    return result
