"""Fine-tuning a small classifier on soft labels: are a judge's distributions as good to learn from as people's?

With `backends`, the only package that imports torch and transformers; its modules `labels` and `recipe` do not.
"""

from __future__ import annotations

from collections.abc import Iterable

KIND = "finetune"
"""The key under which a run's record holds how it was fine-tuned, and the first word of its name."""

DEVELOPMENT = ("dev", "validation")


def development_first(splits: Iterable[str]) -> list[str]:
    """Splits in order, that by which checkpoints are chosen first."""
    return sorted(splits, key=lambda name: (name not in DEVELOPMENT, name))
