"""What stands in the records that the store keeps as JSON: of runs, tasks and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judgeharness.store import shapes

_NAMED = {"name": str, "options": dict}
RUN_KINDS: Mapping[str, Any] = {
    "strategy": shapes.Nullable(_NAMED),
    "transform": shapes.Nullable(_NAMED),
    "template": {"name": str, "sha256": str},
    "environment": dict,
    "explanations": {"name": str, "set": str},
    "request": {
        "task": str,
        "limit": (int, type(None)),
        "options": shapes.are_named_words,
        "metrics": shapes.are_words,
    },
    "items_with_unexpected_labels": (int, type(None)),
    "finetune": dict,
    **dict.fromkeys(
        ("edition", "prompts", "prompts_scored", "seconds_scoring", "options", "options_censored"), shapes.NUMBER
    ),
    **dict.fromkeys(("requests", "tokens", "prompts_left_out", "texts", "texts_cut", "texts_unread"), shapes.NUMBER),
    "options_mass": shapes.NUMBER_OR_NULL,
}
"""What stands in a run's record, where it does."""

TASK_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(("title", "licence", "homepage", "citation", "notice"), str),
    "ordinal": bool,
    "files": shapes.are_named_words,
}
"""What stands in a task's record."""

SESSION_KINDS: Mapping[str, Any] = {
    "command": shapes.are_words,
    "judgeharness": str,
    "python": str,
    "packages": shapes.are_named_words,
    "plugins": dict,
}
"""What stands in a session's record."""
