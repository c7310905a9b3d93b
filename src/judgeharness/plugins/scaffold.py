"""Creates a new plugin: a small distribution with one component, rendered from templates."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from judgeharness.domain import files
from judgeharness.domain.errors import InputError
from judgeharness.domain.scratch import scratch
from judgeharness.domain.version import __version__

FOLDER = Path(__file__).parent / "scaffolds"
PREFIX = "judgeharness-"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of plugin.

    Attributes:
        about: What it is.
        try_it: A command that uses the component.
        data: Files besides the module.
    """

    about: str
    try_it: str
    data: tuple[str, ...] = ()


KINDS: Mapping[str, Kind] = {
    "metric": Kind(
        "A metric", "judgeharness eval --task nli-sample --backend baseline:explanations --metric {component}"
    ),
    "strategy": Kind(
        "A prompt strategy",
        "judgeharness eval --task nli-sample --limit 2 --backend hf:smollm2 --strategy {component}",
    ),
    "transform": Kind(
        "A transform",
        "judgeharness eval --task nli-sample --backend hf:smollm2 --strategy no-explanation --transform {component}",
    ),
    "backend": Kind(
        "A backend", "judgeharness eval --task nli-sample --backend {component}:long --strategy no-explanation"
    ),
    "task": Kind(
        "A task",
        "judgeharness eval --task {component} --backend hf:smollm2 --strategy parallel-explicit",
        ("task.toml", "items.jsonl", "prompt.jinja"),
    ),
    "reporter": Kind("A report", "judgeharness leaderboard --format {component}"),
    "command": Kind("A command", "judgeharness {component}"),
}


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A plugin that is to be written.

    Attributes:
        name: The distribution.
        component: The name of the component that it provides.
        files: The texts by their paths within its folder.
        try_it: A command that uses the component.
    """

    name: str
    component: str
    files: Mapping[str, str]
    try_it: str


def scaffold(name: str, kind: str) -> Scaffold:
    """Render the files of a distribution.

    Args:
        name: The name of the distribution. The component gets the same name, without "judgeharness-".
        kind: The kind of plugin.

    Raises:
        InputError: If the name cannot be that of a distribution or a module.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"'{name}' is not a name for a plugin", "use lower-case letters, digits and single hyphens")
    module = name.replace("-", "_")
    if keyword.iskeyword(module) or importlib.util.find_spec(module) is not None:
        raise InputError(f"'{name}': a module {module} already exists", f"try {PREFIX}{name}")
    component = name.removeprefix(PREFIX)
    about = KINDS[kind]
    try_it = about.try_it.format(component=component)
    values = {
        "name": name,
        "module": module,
        "component": component,
        "kind": kind,
        "main": f"{kind}.py",
        "about": about.about,
        "try_it": try_it,
        "version": __version__,
    }
    package = f"src/{module}"
    wanted = {
        "pyproject.toml": "common/pyproject.toml",
        "README.md": "common/README.md",
        "tests/conftest.py": "common/conftest.py",
        f"tests/test_{module}.py": f"{kind}/test.py",
        f"{package}/__init__.py": f"{kind}/__init__.py",
        f"{package}/{kind}.py": f"{kind}/{kind}.py",
        **{f"{package}/data/{each}": f"{kind}/{each}" for each in about.data},
    }
    files = {path: _rendered(source, values) for path, source in wanted.items()}
    return Scaffold(name, component, {**files, f"{package}/py.typed": ""}, try_it)


def write(made: Scaffold, parent: Path) -> Path:
    """Write the plugin into a new folder with its name. Raises InputError if the folder already exists."""
    folder = parent / made.name
    if os.path.lexists(folder):
        raise InputError(f"{folder}: already exists", "nothing was written; choose another name or --out")
    files.require_folder(parent)
    with scratch(parent) as work:
        for path, text in made.files.items():
            target = work / made.name / path
            files.make_folder(target.parent)
            files.write(target, text)
        with files.writing(folder):
            (work / made.name).rename(folder)
    return folder


def _rendered(source: str, values: Mapping[str, str]) -> str:
    import jinja2

    # These templates of our own produce source code, which must not be escaped.
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True, autoescape=False)  # noqa: S701
    return environment.from_string((FOLDER / f"{source}.jinja").read_text(encoding="utf-8")).render(values)
