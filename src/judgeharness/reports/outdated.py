"""Find stored runs made by rules that have changed, so that the same evaluation would ask models again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from judgeharness.evaluation.versions import EDITION
from judgeharness.store.runs import Run, Runs

FOUND_OUT = frozenset({"prompt_format", "letters", "first_tokens", "date", "position_limit"})
"""The parts of a description that say how prompts are built and read, not which model it is."""

ANEW = "this version asks it anew: it puts prompts together, or reads positions, in another way"
MAYBE = "made before prompts and lengths were checked: the same evaluation asks anew what that changes"
NONSENSE = "{count:,} of its answers hold numbers that are no log-probabilities: the same evaluation renews them"


def outdated(runs: Sequence[Run], stored: Runs) -> dict[str, str]:
    """Return why runs are outdated, by run id. Runs that are not outdated are left out."""
    old = [run for run in runs if run.strategy is not None and run.record.edition < EDITION]
    if not old:
        return {}
    known = stored.backends(EDITION)
    descriptions = {digest: description for digest, _, description in known}
    current = {digest for digest, is_current, _ in known if is_current}
    renewed = [_model(descriptions[digest]) for digest in current]
    found = {}
    for run in old:
        description = descriptions.get(run.backend_digest, {})
        if count := stored.faulty(run.id):
            found[run.id] = NONSENSE.format(count=count)
        elif run.backend_digest not in current and _is_rendered_here(description):
            found[run.id] = ANEW if _model(description) in renewed else MAYBE
    return found


def _is_rendered_here(description: Mapping[str, Any]) -> bool:
    """Return whether judgeharness built the prompts itself, rather than a server, a plugin or a predictor."""
    if description.get("backend") == "openai":
        return description.get("chat_template_sha256") is not None and description.get("asked_by") != "chat"
    return description.get("backend") in {"hf", "llamacpp"}


def _model(description: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in description.items() if key not in FOUND_OUT}
