"""Conformance tests for a transform."""

from __future__ import annotations

import numpy as np

from judgeharness.domain.nouns import FloatArray, OptionScores, distributions
from judgeharness.testing.common import Conformance
from judgeharness.transforms.contract import UndefinedTransformError

PROMPTS, LABELS = 6, 4


def _scores() -> list[OptionScores]:
    """Return logits of both signs, positive logits, and log-probabilities."""
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=5, size=(PROMPTS, LABELS))
    return [
        OptionScores("u", logits, "logit"),
        OptionScores("u", np.abs(logits) + 1, "logit"),
        OptionScores("u", np.log(rng.dirichlet(np.ones(LABELS), size=PROMPTS)) - 0.1, "logprob"),
    ]


class TransformConformance(Conformance):
    """Tests a transform. Set `name`, and `options` if it has any."""

    def _rows(self, scores: OptionScores) -> FloatArray | None:
        """Return the probabilities, or None if the transform is undefined for these scores."""
        transform = self.component(self.registry().transforms).part
        before = scores.scores.copy()
        try:
            return distributions(transform(scores), scores.scores.shape)
        except UndefinedTransformError as error:
            assert str(error), "an undefined transform says why"
            return None
        finally:
            np.testing.assert_array_equal(scores.scores, before, "the transform changes the scores")

    def _defined(self) -> list[tuple[OptionScores, FloatArray]]:
        found = [(scores, rows) for scores in _scores() if (rows := self._rows(scores)) is not None]
        assert found, "it is undefined for every kind of score"
        return found

    def test_rows_are_distributions(self) -> None:
        """There is a row for each prompt, in the label order of the scores."""
        assert self._defined()

    def test_labels_are_treated_alike(self) -> None:
        """Scores with their labels in another order give probabilities in that order."""
        order = [2, 0, 3, 1]
        for scores, rows in self._defined():
            moved = self._rows(OptionScores("u", scores.scores[:, order], scores.kind))
            assert moved is not None
            np.testing.assert_allclose(moved, rows[:, order], atol=1e-12)

    def test_prompts_do_not_influence_each_other(self) -> None:
        """A prompt has the same probabilities alone as among others."""
        for scores, rows in self._defined():
            for index in range(PROMPTS):
                alone = self._rows(OptionScores("u", scores.scores[index : index + 1], scores.kind))
                assert alone is not None
                np.testing.assert_allclose(alone[0], rows[index], atol=1e-12)

    def test_the_same_scores_give_the_same_and_stay_as_they_are(self) -> None:
        """A transform is a pure function."""
        for scores, rows in self._defined():
            np.testing.assert_array_equal(self._rows(scores), rows)

    def test_a_higher_score_is_never_less_probable(self) -> None:
        """This holds within a prompt."""
        for scores, rows in self._defined():
            for values, probabilities in zip(scores.scores, rows, strict=True):
                ordered = probabilities[np.argsort(values)]
                assert (np.diff(ordered) >= -1e-12).all()
