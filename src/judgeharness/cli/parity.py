"""`judgeharness parity`: whether backends that run the same model agree."""

from __future__ import annotations

import json

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.cli.shared.parameters import data_dir_option, limit_option, split_option, strategy_option, task_option
from judgeharness.cli.shared.session import Session
from judgeharness.cli.shared.streams import echo

EXAMPLES = """\b
Example:
  judgeharness parity --task nli-sample --limit 4 --strategy parallel --backend hf:smollm2 --backend llamacpp:smollm2
"""


@click.command("parity", epilog=EXAMPLES)
@task_option
@strategy_option
@click.option(
    "--backend",
    "backends",
    multiple=True,
    required=True,
    type=ComponentName("backends"),
    metavar="SCHEME:MODEL",
    help="A backend; two or more.",
)
@click.option("--temperature", type=click.FloatRange(min=0, min_open=True), default=20.0, show_default=True)
@click.option("--tolerance", type=click.FloatRange(min=0), help="Of the mean JSD between distributions; 0.002.")
@click.option(
    "-o", "pairs", multiple=True, metavar="KEY=VALUE", help="An option of a backend or the strategy; repeats."
)
@click.option("--format", "form", type=click.Choice(("table", "json")), default="table", show_default=True)
@split_option
@limit_option
@data_dir_option
@click.pass_context
def command(
    context: click.Context,
    task_name: str,
    strategy_name: str,
    backends: tuple[str, ...],
    temperature: float,
    tolerance: float | None,
    pairs: tuple[str, ...],
    form: str,
    split: str | None,
    limit: int | None,
    data_dir: str | None,
) -> int:
    """Ask two or more backends the same and compare: prompts, token ids, probabilities, distributions, speed.

    The first backend is what the others are compared with. The models are always run; the store is not used. Exit code
    1 where a mean Jensen-Shannon distance between model judgment distributions is above the tolerance, or at
    temperature 1 above ten times the tolerance.
    """
    from judgeharness.analysis import parity
    from judgeharness.backends.contract import BackendContext, Scorer
    from judgeharness.domain.errors import InputError
    from judgeharness.evaluation.components import backend_spec, component, open_backend, task_definition
    from judgeharness.plugins import options
    from judgeharness.reports import parity as agreement
    from judgeharness.reports.progress import ConsoleWatcher, download_meter
    from judgeharness.strategies.contract import WritingStrategy
    from judgeharness.tasks.datasets import DataFolders, cache_folder
    from judgeharness.tasks.task import load_task
    from judgeharness.transforms.softmax import SoftmaxOptions, softmax

    registry, watcher = context.ensure_object(Session).registry, ConsoleWatcher()
    names = list(dict.fromkeys(backends))
    if len(names) < 2:
        raise InputError("parity compares two or more backends", "give --backend twice")
    values = options.parse_pairs(pairs)
    models = {f"backend {name}": registry.backends.load_options(backend_spec(registry, name)[0].name) for name in names}
    models[f"strategy {strategy_name}"] = registry.strategies.load_options(strategy_name)
    options.require_known(values, models)
    strategy = component(registry.strategies, strategy_name, values).part
    definition = task_definition(registry, task_name)
    task = load_task(definition, DataFolders.from_environment(data_dir), download_meter, split).limited(limit)
    if isinstance(strategy, WritingStrategy):
        raise InputError(f"strategy {strategy_name} has models write; parity compares option scores")
    strategy.check(task)
    groups = [strategy.group(item, task) for item in task.items]
    opened = [open_backend(registry, name, values, BackendContext(cache_folder(), watcher.note)) for name in names]
    sides = []
    for backend in opened:
        if not isinstance(backend.part, Scorer):
            raise InputError(f"{backend.name} asks no model, so there is nothing to compare")
        watcher.started(backend.name, sum(len(group.prompts) for group in groups))
        try:
            sides.append(parity.run(backend.name, backend.part, groups, watcher.advanced))
        finally:
            watcher.finished()
    allowed = parity.DEFAULT_TOLERANCE if tolerance is None else tolerance
    found = parity.compare(sides, softmax(SoftmaxOptions(temperature=temperature)), allowed)
    if form == "json":
        echo(json.dumps(agreement.document(found), indent=2))
    else:
        from judgeharness.reports.text import Console

        Console().print(agreement.render(found))
    return int(not found.holds)
