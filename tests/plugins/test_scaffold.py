"""A plugin of each kind from nothing: written, installed, tested, checked, and used with a real model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from judgeharness.plugins.scaffold import KINDS, scaffold
from tests.helpers import judgeharness

ASKED = ("eval", "--limit", "2", "--transform", "softmax", "--temperature", "1", "--format", "csv")
MODEL = ("--backend", "hf:smollm2", "--strategy", "no-explanation")
SAMPLE = ("--task", "nli-sample")
USED = {
    "metric": ((*ASKED, *SAMPLE, *MODEL, "--metric", "my-metric"), ",my-metric,"),
    "strategy": (
        (*ASKED, *SAMPLE, "--backend", "hf:smollm2", "--strategy", "my-strategy"), "hf:smollm2,my-strategy,,softmax"
    ),
    "transform": (
        ("eval", "--limit", "2", *SAMPLE, *MODEL, "--transform", "my-transform", "-o", "even=0.2", "--format", "csv"),
        "hf:smollm2,no-explanation,,my-transform",
    ),
    "backend": (
        (*ASKED, *SAMPLE, *MODEL, "--backend", "my-backend:long"), "my-backend:long,no-explanation,,softmax"
    ),
    "task": (
        (*ASKED, "--task", "my-task", "--backend", "hf:smollm2", "--strategy", "parallel-explicit"), "my-task,all,"
    ),
    "reporter": (
        (*ASKED[:-1], "my-reporter", *SAMPLE, *MODEL), "nli-sample: hf:smollm2 no-explanation softmax τ=1: KL 0."
    ),
    "command": (("my-command",), "nli-sample: 1"),
}  # fmt: skip


class Place:
    """A folder in which one plugin is written and installed apart from everything else, and a transcript."""

    def __init__(self, root: Path, kind: str) -> None:
        self.root, self.kind = root, kind
        self.project = root / f"my-{kind}"
        self.site = root / "site"
        self.transcript: list[str] = []

    def run(self, *command: str, cwd: Path | None = None) -> str:
        environment = {**os.environ, "PYTHONPATH": str(self.site), "PYTHONWARNINGS": "error::SyntaxWarning"}
        environment.pop("JUDGEHARNESS_PLUGINS", None)
        done = subprocess.run(
            [sys.executable, "-m", *command], cwd=cwd or self.root, env=environment, capture_output=True, text=True
        )
        self.transcript.append(f"$ {' '.join(command)}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, "\n".join(self.transcript)
        return done.stdout


@pytest.fixture(scope="module", params=KINDS)
def place(request, tmp_path_factory):
    made = Place(tmp_path_factory.mktemp(request.param), request.param)
    made.run("judgeharness", "new-plugin", f"my-{request.param}", "--kind", request.param)
    install = ("pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check")
    made.run(*install, "--target", str(made.site), str(made.project))
    return made


def test_its_own_tests_pass_as_it_is(place):
    said = place.run("pytest", "-q", "-p", "no:cacheprovider", cwd=place.project)
    assert " passed" in said
    assert "skipped" not in said


def test_it_is_typed_and_clean(place):
    place.run("mypy", "--strict", "--cache-dir", os.devnull, "src", cwd=place.project)
    place.run("ruff", "check", "--no-cache", cwd=place.project)
    place.run("ruff", "format", "--check", "--no-cache", cwd=place.project)


def test_its_component_is_used_with_a_real_model(place):
    words, expected = USED[place.kind]
    if place.kind == "command":
        place.run("judgeharness", *ASKED, *SAMPLE, *MODEL)
    assert expected in place.run("judgeharness", *words)
    assert f"my-{place.kind}" in place.run("judgeharness", "plugins")


NAMES = {
    "My-Metric": "is not a name for a plugin",
    "my--metric": "is not a name for a plugin",
    "../evil": "is not a name for a plugin",
    "numpy": "a module numpy already exists",
    "class": "a module class already exists",
    "json": "a module json already exists",
}


@pytest.mark.parametrize("name", NAMES)
def test_names_that_cannot_be(name):
    result = judgeharness("new-plugin", name, "--kind", "metric")
    assert result.code == 2
    assert NAMES[name] in result.err
    assert not list(Path().iterdir())


def test_what_is_there_is_left_alone(tmp_path):
    (tmp_path / "my-thing").mkdir()
    result = judgeharness("new-plugin", "my-thing", "--kind", "task")
    assert result.code == 2
    assert "my-thing: already exists" in result.err
    assert not list((tmp_path / "my-thing").iterdir())


def test_the_component_is_named_without_what_all_plugins_are_called():
    made = scaffold("judgeharness-overlap", "metric")
    assert made.component == "overlap"
    assert "src/judgeharness_overlap/metric.py" in made.files
