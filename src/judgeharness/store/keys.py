"""The keys under which answers are stored."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

from judgeharness.domain.nouns import PromptGroup
from judgeharness.domain.special_tokens import LIKE_SPECIAL_TOKENS


def group_digest(group: PromptGroup, backend_digest: str) -> str:
    """Return the key of a group's answer.

    It covers the backend's description, the prompts' texts, the order of their options and, for generated answers, the
    decoding. Text that looks like a special token used to be read as one, so prompts with such text have keys of their
    own.
    """
    running = hashlib.sha256(backend_digest.encode())
    for prompt in group.prompts:
        turns = [[message.role, message.content] for message in prompt.messages]
        running.update(json.dumps([turns, prompt.options], ensure_ascii=True).encode())
        if any(LIKE_SPECIAL_TOKENS.search(message.content) for message in prompt.messages):
            running.update(b"read as text")
    if group.decoding is not None:
        running.update(json.dumps(asdict(group.decoding), sort_keys=True).encode())
    return running.hexdigest()
