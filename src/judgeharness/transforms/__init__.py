"""Transforms: they turn the option scores of a prompt into probabilities."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import TransformSpec


@hookimpl
def judgeharness_transforms() -> list[TransformSpec]:
    """Return the two transforms of the paper."""
    return [
        TransformSpec(
            name="norm",
            summary="each score divided by the sum of the scores; needs raw logits greater than 0",
            target="judgeharness.transforms.norm:norm",
        ),
        TransformSpec(
            name="softmax",
            summary="softmax of the scores divided by a temperature (--temperature, 20 by default)",
            target="judgeharness.transforms.softmax:softmax",
            options="judgeharness.transforms.softmax:SoftmaxOptions",
        ),
    ]
