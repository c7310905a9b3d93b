"""How each run was made: data, model, versions, and the command that repeats it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from judgeharness.pages.contract import Judge, Report, Section, Subject
from judgeharness.pages.templates import html

PRIVATE = frozenset({"path"})


def section(report: Report) -> Section | None:
    """The tasks with licence, hashes and citations, and a record for each run; without folders of this machine."""
    if not report.subjects:
        return None
    body = html("provenance.html.jinja", subjects=[_subject(subject) for subject in report.subjects])
    return Section("How it was run", body)


def _subject(subject: Subject) -> dict[str, Any]:
    task = subject.board.task
    record = {key: task.record.get(key) or "" for key in ("licence", "homepage", "notice", "citation")}
    return {
        "name": task.name,
        "split": task.split,
        "digest": task.digest,
        "files": task.record.get("files") or {},
        "judges": [_judge(judge) for judge in subject.judges],
        **record,
    }


def _judge(judge: Judge) -> dict[str, Any]:
    parts = {
        "backend": judge.backend,
        "record": {key: value for key, value in judge.run.record.items() if key != "request"},
        "versions": judge.versions,
    }
    return {
        "id": judge.run.id,
        "name": judge.run.name,
        "created": judge.run.created,
        "command": judge.command,
        "parts": {name: list(_leaves(part)) for name, part in parts.items()},
    }


def _leaves(value: Mapping[str, Any], name: str = "") -> Iterator[tuple[str, str]]:
    for key, part in value.items():
        here = f"{name}{key}"
        if isinstance(part, Mapping):
            yield from _leaves(part, f"{here}.")
        elif key not in PRIVATE and part is not None:
            yield here, str(part)
