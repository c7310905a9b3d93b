"""Conformance tests for a metric."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from judgeharness.domain.nouns import FloatArray
from judgeharness.metrics.measure import Measure, Sample
from judgeharness.testing.common import Conformance, distributions

SHAPES = ((1, 2), (5, 3), (40, 4))


class MetricConformance(Conformance):
    """Tests a metric. Set `name`. The tests depend on the metric's spec.

    Attributes:
        perfect: Whether no distribution can be better than people's own. That does not hold for calibration, for
            example.
    """

    perfect: ClassVar[bool] = True

    def _measure(self) -> Measure:
        catalog = self.registry().metrics
        spec = catalog.spec(self.name)
        parts = [
            None if each is None else catalog.load_part(self.name, each) for each in (spec.resampled, spec.squared)
        ]
        return Measure(spec, catalog.load(self.name), *parts)

    def _value(self, human: FloatArray, model: FloatArray) -> FloatArray:
        """Return the values of the items, or one number for a corpus metric."""
        return self._measure().values(_sample(human, model))

    def test_it_gives_a_number_an_item_or_one_in_all(self) -> None:
        """The shape of the result follows from the spec's level."""
        for items, labels in SHAPES:
            self._value(distributions(items, labels), distributions(items, labels, 1))

    def test_values_are_within_the_stated_range(self) -> None:
        """This also holds for distributions with zeros."""
        low, high = self._measure().spec.range
        certain = np.eye(4)[[0, 1, 2, 3, 0]]
        for human, model in (
            (distributions(40, 4), distributions(40, 4, 1)),
            (certain, distributions(5, 4)),
            (distributions(5, 4), certain),
            (certain, certain[::-1]),
        ):
            values = np.atleast_1d(self._value(human, model))
            values = values[~np.isnan(values)]
            assert low is None or (values >= low - 1e-9).all()
            assert high is None or (values <= high + 1e-9).all()

    def test_a_perfect_judge_is_not_beaten(self) -> None:
        """People's own distributions are at least as good as others, if the metric is `perfect`."""
        spec = self._measure().spec
        human = distributions(40, 3)
        best = self._value(human, human).mean()
        assert not math.isnan(best)
        for seed in range(1, 4) if self.perfect else ():
            other = self._value(human, distributions(40, 3, seed)).mean()
            assert spec.distance_from_best(float(best)) <= spec.distance_from_best(float(other)) + 1e-9

    def test_the_order_of_items_does_not_matter(self) -> None:
        """Items in another order have the same values."""
        human, model = distributions(40, 3), distributions(40, 3, 1)
        order = np.random.default_rng(0).permutation(40)
        whole, moved = self._value(human, model), self._value(human[order], model[order])
        np.testing.assert_allclose(moved, whole[order] if whole.ndim else whole, rtol=1e-9, atol=1e-12)

    def test_the_order_of_labels_does_not_matter(self) -> None:
        """This holds unless the spec says that the metric is for ordered labels."""
        if self._measure().spec.ordinal:
            return
        human, model = distributions(40, 4), distributions(40, 4, 1)
        order = [2, 0, 3, 1]
        np.testing.assert_allclose(
            self._value(human[:, order], model[:, order]), self._value(human, model), rtol=1e-9, atol=1e-12
        )

    def test_it_leaves_what_it_is_given_alone(self) -> None:
        """The metric must not change the caller's arrays."""
        human, model = distributions(5, 3), distributions(5, 3, 1)
        before = human.copy(), model.copy()
        self._measure().metric(human, model)
        np.testing.assert_array_equal(human, before[0])
        np.testing.assert_array_equal(model, before[1])

    def test_resamples_are_what_they_stand_for(self) -> None:
        """In `resampled`, if the metric has it, counts mean repeated items."""
        measure = self._measure()
        if measure.resampled is None:
            return
        human, model = distributions(12, 3), distributions(12, 3, 1)
        chosen = np.random.default_rng(0).integers(0, 12, size=(4, 12))
        counts = np.array([np.bincount(row, minlength=12) for row in chosen])
        direct = [float(self._value(human[row], model[row])) for row in chosen]
        np.testing.assert_allclose(measure.resamples(_sample(human, model), counts), direct, rtol=1e-7, atol=1e-9)

    def test_squares_without_each_item_are_what_they_stand_for(self) -> None:
        """In `squared`, if the metric has it, the values after the first are those of all other items."""
        measure = self._measure()
        if measure.squared is None:
            return
        sample = _sample(distributions(12, 3), distributions(12, 3, 1))
        without = [measure.squares(sample.at(np.delete(np.arange(12), place)))[0] for place in range(12)]
        np.testing.assert_allclose(measure.squares(sample)[1:], without, rtol=1e-7, atol=1e-9)


def _sample(human: FloatArray, model: FloatArray) -> Sample:
    """Return a sample with 100 votes an item, or as many as rounding leaves."""
    return Sample(human, model, np.round(100 * human))
