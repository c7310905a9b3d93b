"""A plugin for benchmarks: a backend that answers at once, so that all that is left is judgeharness.

Scores are random in float32, the same for the same model's name and item; texts are all "A".
"""

import numpy as np

from judgeharness.domain.nouns import GeneratedTexts, OptionScores
from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import BackendSpec


@hookimpl
def judgeharness_backends():
    """The one backend, `instant:NAME`."""
    return [BackendSpec(name="instant", summary="answers at once", target=f"{__name__}:Instant")]


class Instant:
    """A judge by any name."""

    def __init__(self, model, options, context):
        self._model = model

    def describe(self):
        """The name is all that it is."""
        return {"backend": "instant", "model": self._model}

    def environment(self):
        """Nothing."""
        return {}

    def render(self, group):
        """Nothing."""

    def encode(self, group):
        """Nothing."""

    def open(self):
        """Nothing."""

    def close(self):
        """Nothing."""

    def score(self, groups):
        """Scores near 20, as logits often are."""
        for group in groups:
            seed = sum(map(ord, f"{self._model} {group.uid}"))
            shape = (len(group.prompts), group.n_options)
            scores = 20 + np.random.default_rng(seed).normal(size=shape).astype(np.float32)
            yield OptionScores(group.uid, scores.astype(np.float64), "logit")

    def generate(self, groups):
        """The letter A."""
        for group in groups:
            yield GeneratedTexts(group.uid, ("A",) * len(group.prompts), (False,) * len(group.prompts))
