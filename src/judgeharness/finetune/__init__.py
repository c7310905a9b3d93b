"""Fine-tune a small classifier on soft labels: is a judge's distribution as good to learn from as people's?

Of its modules, only `classifier` and `training`, and those that use them, import torch and transformers.
"""

from __future__ import annotations

from collections.abc import Iterable

KIND = "finetune"
"""The key under which a run's record holds how it was fine-tuned, and the first part of its name."""

DEVELOPMENT = ("dev", "validation")


def development_first(splits: Iterable[str]) -> list[str]:
    """Return splits in order, with the one first that is used to choose checkpoints."""
    return sorted(splits, key=lambda name: (name not in DEVELOPMENT, name))
