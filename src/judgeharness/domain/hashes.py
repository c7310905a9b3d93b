"""Content hashes: a result is identified by everything that it was computed from."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from judgeharness.domain.files import MAX_WEIGHTS_BYTES, opened
from judgeharness.domain.nouns import PromptGroup

_BLOCK = 1 << 20
_BAR = "[|\\uff5c]"
LIKE_SPECIAL_TOKENS = re.compile(
    rf"<{_BAR}[^<>\n]{{1,60}}>|<[^<>\n]{{1,60}}{_BAR}>|\[{_BAR}[^\[\]\n]{{1,60}}\]|\[[^\[\]\n]{{1,60}}{_BAR}\]"
    r"|</?s>|<(?:bos|eos|pad|unk|cls|sep|mask|sop|eop)>|</?think(?:ing)?>|<\w+_\w+>|<unused\d+>|<(?:filename|reponame)>"
    r"|\[/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_RESULTS|TOOL_CALLS|THINK|gMASK|BOS|EOS|UNK|PAD|CLS|SEP|MASK)\]"
    r"|<</?SYS>>|\]~\w+\]|\[e~\["
)
"""Matches text that looks like a special token of some family of models."""


def digest(value: Any) -> str:
    """Return the SHA-256 hex digest of a value as canonical JSON (sorted keys, no spaces, UTF-8)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def file_digest(path: Path, what: str = "file") -> str:
    """Return the SHA-256 hex digest of a file's bytes. `what` and errors are those of `files.opened`."""
    with opened(path, what=what) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


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


def sampled_digest(path: Path, whole_below: int = 1 << 28, samples: int = 64) -> str:
    """Return a SHA-256 hex digest of a file's content.

    For files of `whole_below` bytes or more, only the size and `samples` evenly spaced blocks of 1 MiB are hashed. This
    identifies many gigabytes of weights in seconds, since training changes every block.
    """
    with opened(path, MAX_WEIGHTS_BYTES) as stream:
        size = os.fstat(stream.fileno()).st_size
        if size < whole_below:
            return hashlib.file_digest(stream, "sha256").hexdigest()
        running = hashlib.sha256(f"{size}:{samples}".encode())
        for index in range(samples):
            stream.seek((size - _BLOCK) * index // (samples - 1))
            running.update(stream.read(_BLOCK))
    return running.hexdigest()
