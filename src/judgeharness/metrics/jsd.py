"""Jensen-Shannon distance and divergence."""

from __future__ import annotations

import math

import numpy as np

from judgeharness.domain.nouns import FloatArray


def jsd(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return sqrt((KL(h || c) + KL(m || c)) / 2), c = (h + m) / 2, natural log. Maps two (items, labels) to (items,).

    This is a distance between 0 and sqrt(ln 2) = 0.8326 (Endres and Schindelin 2003).
    """
    result: FloatArray = np.sqrt(_nats(human, model))
    return result


def js_divergence(human: FloatArray, model: FloatArray) -> FloatArray:
    """Return (KL(h || c) + KL(m || c)) / 2, c = (h + m) / 2, in bits. Maps two (items, labels) to (items,).

    The value is between 0 and 1 bit (Lin 1991).
    """
    return _nats(human, model) / math.log(2)


def _nats(human: FloatArray, model: FloatArray) -> FloatArray:
    from scipy.special import rel_entr

    middle = (human + model) / 2
    divergence = (rel_entr(human, middle) + rel_entr(model, middle)).sum(axis=1) / 2
    result: FloatArray = np.maximum(divergence, 0.0)
    return result
