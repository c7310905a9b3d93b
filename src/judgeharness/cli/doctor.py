"""`judgeharness doctor`: checks what is installed, and says how to get the rest."""

from __future__ import annotations

import os
from importlib.util import find_spec

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import pass_workspace
from judgeharness.cli.shared.streams import echo
from judgeharness.evaluation.versions import environment_lines
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.loading import Plugin


@click.command("doctor")
@click.option(
    "--backend",
    "backends",
    multiple=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="Show only this backend (repeatable).",
)
@click.option("-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option of the backend (repeatable).")
@pass_workspace
def command(workspace: Workspace, backends: tuple[str, ...], pairs: tuple[str, ...]) -> int:
    """Check what is installed and which backends can run.

    Shows versions, devices, datasets and plugins. The exit code is 1 if a plugin is broken, but not if something is
    missing.

    With --backend, shows what the backend is and what it supports, without loading weights. Asks servers again what
    they support.
    """
    registry = workspace.registry
    if backends:
        for name in backends:
            _backend(workspace, name, pairs)
        return 0
    for line in environment_lines(registry.plugins)[:3]:
        echo(line)
    echo("hf         " + _hf())
    echo("llamacpp   " + _llamacpp())
    echo("openai     " + _openai())
    for line in _datasets(workspace):
        echo("data       " + line)
    failures = registry.failures()
    for line in _plugins(registry.plugins, failures):
        echo("plugins    " + line)
    return int(bool(failures))


def _hf() -> str:
    missing = [name for name in ("torch", "transformers") if find_spec(name) is None]
    if missing:
        return f"not usable, {' and '.join(missing)} missing: pip install 'judgeharness[hf]'"
    import torch

    from judgeharness.backends.hf.device import default_dtype

    if torch.cuda.is_available():
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
        return f"ready, on {', '.join(names)} in {default_dtype('cuda')}"
    return f"ready, on the CPU with {torch.get_num_threads()} threads in float32"


def _llamacpp() -> str:
    if find_spec("llama_cpp") is None:
        return "not usable, llama_cpp missing: pip install 'judgeharness[llamacpp]'"
    from judgeharness.backends.llamacpp.library import supports_gpu

    return f"ready, built for {'the GPU' if supports_gpu() else 'the CPU'}"


def _openai() -> str:
    if find_spec("openai") is None:
        return "not usable, openai missing: pip install 'judgeharness[openai]'"
    return f"ready; OPENAI_API_KEY is {'set' if os.environ.get('OPENAI_API_KEY') else 'not set'}"


def _backend(workspace: Workspace, name: str, pairs: tuple[str, ...]) -> None:
    """Print the description of a backend. Its cache is empty, so nothing comes from an earlier call."""
    from judgeharness.backends.contract import BackendContext, Scorer
    from judgeharness.domain.scratch import scratch
    from judgeharness.evaluation.components import choose_backend, require_known
    from judgeharness.plugins import options
    from judgeharness.reports import run
    from judgeharness.reports.text import Console

    values = options.parse_pairs(pairs)
    choice = choose_backend(workspace.registry, name)
    require_known(values, [choice])
    with scratch() as empty:
        context = BackendContext(empty, lambda line: echo(line, err=True))
        opened = choice.open(values, context)
        document = {"backend": dict(opened.description)}
        if isinstance(opened.part, Scorer):
            document["environment"] = dict(opened.part.environment())
    Console().print(run.run(document))


def _datasets(workspace: Workspace) -> list[str]:
    from judgeharness.tasks.datasets import known_datasets

    folders = workspace.folders
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
