"""`judgeharness doctor`: what is installed and at hand, and what to do about the rest."""

from __future__ import annotations

import platform
from importlib.util import find_spec

import click

import judgeharness
from judgeharness.cli.program import Session
from judgeharness.plugins import Plugin
from judgeharness.record import PACKAGES, package_versions


@click.command("doctor")
@click.pass_context
def command(context: click.Context) -> int:
    """Check versions, devices, datasets and plugins. Exit code 1 where something is broken, not where it is absent."""
    registry = context.ensure_object(Session).registry
    click.echo(f"judgeharness {judgeharness.__version__}, Python {platform.python_version()}, {platform.platform()}")
    versions = package_versions(PACKAGES)
    click.echo("packages   " + ", ".join(f"{name} {version}" for name, version in versions.items()))
    click.echo("hf         " + _hf())
    for line in _datasets():
        click.echo("data       " + line)
    failures = registry.failures()
    for line in _plugins(registry.plugins, failures):
        click.echo("plugins    " + line)
    return int(bool(failures))


def _hf() -> str:
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        return f"not usable, {' and '.join(missing)} missing: pip install 'judgeharness[hf]'"
    import torch

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return f"ready, on {', '.join(names)} in bfloat16"
    return f"ready, on the CPU with {torch.get_num_threads()} threads in float32"


def _datasets() -> list[str]:
    from judgeharness.tasks.datasets import DataFolders, known_datasets

    folders = DataFolders.from_environment()
    lines = []
    for dataset in known_datasets().values():
        missing = [file.name for file in dataset.files if folders.find(dataset, file) is None]
        state = "at hand" if not missing else f"not here: judgeharness data fetch {dataset.name}"
        lines.append(f"{dataset.name}: {state}")
    return lines


def _plugins(plugins: tuple[Plugin, ...], failures: list[Plugin]) -> list[str]:
    outside = [plugin for plugin in plugins if plugin.origin != "built-in"]
    if failures:
        return [f"{plugin.name} failed: {plugin.error}" for plugin in failures]
    return [f"{len(plugins) - len(outside)} built in, {len(outside)} from outside, all sound"]
