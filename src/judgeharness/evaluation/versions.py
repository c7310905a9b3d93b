"""The record of a session: what ran, in which versions, where. Environment variables and keys are never recorded."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from judgeharness.domain.names import readable
from judgeharness.domain.version import __version__
from judgeharness.plugins.loading import Plugin
from judgeharness.store.records import SessionRecord

EDITION = 2
"""Edition of the rules for building prompts and computing scores. Runs without an edition are of the first.

Since edition 2, prompts are checked (turns, first tokens, special tokens, dates), and scores do not depend on the
other prompts of a run.
"""

PACKAGES = (
    "accelerate",
    "bitsandbytes",
    "gguf",
    "huggingface-hub",
    "jinja2",
    "llama-cpp-python",
    "numpy",
    "openai",
    "pydantic",
    "safetensors",
    "scipy",
    "tokenizers",
    "torch",
    "transformers",
)


def session_record(arguments: Sequence[str], plugins: Iterable[Plugin]) -> SessionRecord:
    """Return what a session's results depend on, apart from data and models."""
    return SessionRecord(
        command=["judgeharness", *arguments],
        judgeharness=__version__,
        git_commit=source_commit(),
        python=platform.python_version(),
        platform=platform.platform(),
        cpus=os.cpu_count(),
        packages=package_versions(PACKAGES),
        plugins={
            plugin.name: f"{plugin.distribution} {plugin.version}" if plugin.distribution else plugin.origin
            for plugin in plugins
            if plugin.state == "loaded" and plugin.origin != "built-in"
        },
    )


def environment_lines(plugins: Iterable[Plugin]) -> list[str]:
    """Return version, commit, Python, platform, packages and plugins, one per line, for bug reports."""
    commit = source_commit()
    record = session_record((), plugins)
    packages = ", ".join(f"{name} {version}" for name, version in record.packages.items())
    others = ", ".join(f"{name} ({provider})" for name, provider in record.plugins.items())
    return [
        f"judgeharness {__version__}" + (f" (commit {commit})" if commit else ""),
        f"python {record.python} on {record.platform}, {record.cpus} CPUs",
        f"packages: {packages}",
        f"plugins: {others or 'none but the built-in ones'}",
    ]


def package_versions(names: Iterable[str]) -> dict[str, str]:
    """Return the versions of those packages that are installed. Nothing is imported."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def source_commit() -> str | None:
    """Return the commit of the checkout that runs, with "+" for uncommitted changes, or None for a wheel."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def program_arguments() -> list[str]:
    """Return the words of the command line."""
    return [readable(word) for word in sys.argv[1:]]


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    # The arguments are fixed, and the path is our own.
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()  # noqa: S603
