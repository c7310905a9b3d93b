"""The `pipe:` backend: prompts to a program's stdin, scores from its stdout."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from judgeharness.domain.json_reader import JsonError, finite_number, read_json
from judgeharness.plugin import (
    LETTERS,
    BackendContext,
    HarnessError,
    InputError,
    Options,
    OptionScores,
    PromptGroup,
    ScoringFailure,
    file_digest,
    in_label_order,
)
from judgeharness_pipe.process import Process


class PipeOptions(Options):
    """kind: of the scores. version: tells one state of the program from another. timeout: seconds for an answer."""

    kind: Literal["logprob", "logit"] = "logprob"
    version: str | None = None
    timeout: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 600.0


class PipeBackend:
    """A program. One group is out at a time: it may take its time, and answers as it gets done."""

    def __init__(self, model: str, options: PipeOptions, context: BackendContext) -> None:
        self._name = model
        self._path = _program(model)
        self._options = options
        self._process: Process | None = None
        context.notify(f"pipe program: {self._path}")

    def describe(self) -> Mapping[str, Any]:
        """The program by name and content; what else it depends on only its user knows."""
        return {
            "backend": "pipe",
            "program": self._path.name,
            "sha256": file_digest(self._path),
            "version": self._options.version,
            "kind": self._options.kind,
        }

    def environment(self) -> Mapping[str, Any]:
        """Where the program lies."""
        return {"path": str(self._path)}

    def render(self, group: PromptGroup) -> Sequence[str] | None:
        """What the program makes of a prompt is its own business."""
        return None

    def encode(self, group: PromptGroup) -> Sequence[Sequence[int]] | None:
        """Nor are its tokens known."""
        return None

    def open(self) -> None:
        """Start the program. Raises HarnessError where it cannot be."""
        if self._process is None:
            self._process = Process(self._path, self._options.timeout)

    def score(self, groups: Iterable[PromptGroup]) -> Iterator[OptionScores | ScoringFailure]:
        """A line out, a line in."""
        if self._process is None:
            raise RuntimeError("score() before open()")
        for group in groups:
            yield self._read(group, self._process.ask(json.dumps(_asked(group), ensure_ascii=True)))

    def close(self) -> None:
        """End the program."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _read(self, group: PromptGroup, line: str) -> OptionScores | ScoringFailure:
        said = _object(line, self._name)
        if said.get("uid") != group.uid:
            raise HarnessError(
                f"pipe:{self._name} was asked about '{group.uid}' and answered about {said.get('uid')!r}"
            )
        if isinstance(said.get("failure"), str):
            return ScoringFailure(group.uid, said["failure"][:300])
        try:
            rows = np.array([[finite_number(each) for each in row] for row in said.get("scores", ())], np.float64)
            if rows.shape != (len(group.prompts), group.n_options):
                raise ValueError(f"scores of the shape {rows.shape}, not {(len(group.prompts), group.n_options)}")
            return OptionScores(group.uid, in_label_order(rows, group), self._options.kind)
        except (TypeError, ValueError) as error:
            return ScoringFailure(group.uid, f"pipe:{self._name} gave no scores: {error}")


def _asked(group: PromptGroup) -> dict[str, Any]:
    return {
        "uid": group.uid,
        "prompts": [
            {
                "messages": [{"role": each.role, "content": each.content} for each in prompt.messages],
                "letters": list(LETTERS[: len(prompt.options)]),
            }
            for prompt in group.prompts
        ],
    }


def _object(line: str, name: str) -> dict[str, Any]:
    try:
        said = read_json(line)
    except JsonError as error:
        raise HarnessError(f"pipe:{name} wrote a line that is not JSON: {line[:80]!r}", str(error)) from error
    if not isinstance(said, dict):
        raise HarnessError(f"pipe:{name} wrote a line that is no object: {line[:80]!r}")
    return said


def _program(name: str) -> Path:
    """A path, or a program on PATH. Raises InputError where there is none that can be run."""
    found = shutil.which(name) if os.sep not in name else name
    path = Path(found).expanduser().resolve() if found else None
    if path is None or not path.is_file():
        raise InputError(f"pipe:{name}: no such program", "give its path: pipe:./judge.py")
    if not os.access(path, os.X_OK):
        raise InputError(f"pipe:{name}: cannot be run", f"chmod +x {name}")
    return path
