"""The record of a session: what ran, in which versions, where. No secrets: neither environment nor keys go in."""

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
"""Of the rules by which prompts are put together and scores computed; runs without one are of the first.

From the second on, prompts are checked (turns, first tokens, special tokens, dates), and scores do not depend on the
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
    """What a session's figures depend on, besides its data and models."""
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
    """Version, commit, Python, platform, packages and plugins, a line each: what a bug report needs."""
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
    """The versions of those packages that are installed, read without importing them."""
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def source_commit() -> str | None:
    """The commit of the checkout that judgeharness runs from, "+" where it was changed since; None for a wheel."""
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def program_arguments() -> list[str]:
    """The command line as it was given."""
    return [readable(word) for word in sys.argv[1:]]


def _git(root: Path, *words: str) -> str:
    command = ["git", "-C", str(root), *words]
    # Fixed words on a path of our own.
    return subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()  # noqa: S603
