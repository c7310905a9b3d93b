"""How each run was made: data, model, versions, and the command that makes it again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from judgeharness.evaluation.again.origin import leaves
from judgeharness.reports.page.report import Judge, Report, Section, Subject
from judgeharness.reports.page.templates import html

PRIVATE = frozenset({"path"})


def section(report: Report) -> Section | None:
    """Show the tasks with licence, hashes and citations, and a record of each run, without paths of this machine."""
    if not report.subjects:
        return None
    body = html("provenance.html.jinja", subjects=[_subject(subject) for subject in report.subjects])
    return Section("How it was run", body)


def _subject(subject: Subject) -> dict[str, Any]:
    task = subject.board.task
    record = {key: getattr(task.record, key) for key in ("licence", "homepage", "notice", "citation")}
    return {
        "name": task.name,
        "split": task.split,
        "digest": task.digest,
        "files": task.record.files,
        "judges": [_judge(judge) for judge in subject.judges],
        **record,
    }


def _judge(judge: Judge) -> dict[str, Any]:
    parts = {
        "backend": judge.backend,
        "record": {key: value for key, value in judge.run.record.document().items() if key != "request"},
        "versions": judge.versions,
    }
    return {
        "id": judge.run.id,
        "name": judge.run.name,
        "created": judge.run.created,
        "command": judge.command,
        "parts": {name: _lines(part) for name, part in parts.items()},
    }


def _lines(part: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = ((name, value) for name, value in leaves(part) if value is not None)
    return [(name, str(value)) for name, value in found if name.rpartition(".")[2] not in PRIVATE]
