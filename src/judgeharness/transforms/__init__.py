"""Transforms: how one prompt's option scores become probabilities."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import TransformSpec


@hookimpl
def judgeharness_transforms() -> list[TransformSpec]:
    """The two transforms of the paper."""
    return [
        TransformSpec(
            name="norm",
            summary="each score over the sum of the scores; needs raw logits above zero",
            target="judgeharness.transforms.norm:norm",
        ),
        TransformSpec(
            name="softmax",
            summary="softmax of the scores over a temperature (--temperature, 20 as in the paper)",
            target="judgeharness.transforms.softmax:softmax",
            options="judgeharness.transforms.softmax:SoftmaxOptions",
        ),
    ]
