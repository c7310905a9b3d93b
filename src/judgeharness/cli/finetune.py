"""`judgeharness finetune`: fine-tunes classifiers on the distributions of judges and people."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.parameters import (
    chaosnli_option,
    data_dir_option,
    finetune_format_option,
    pass_workspace,
    store_option,
)
from judgeharness.cli.shared.signals import RESUMES, stopped
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.finetune.labels import SoftLabels
    from judgeharness.store.database import Store
    from judgeharness.tasks.task import Task

EXAMPLES = """\b
Example:
  judgeharness finetune --model roberta-base --labels baseline:human --labels RUN --seed 1 --seed 2 --seed 3
"""


@click.command("finetune", epilog=EXAMPLES)
@click.option(
    "--labels",
    "given",
    multiple=True,
    required=True,
    metavar="RUN|baseline:NAME",
    help="Soft labels to train on: a run, or a baseline such as baseline:human (repeatable).",
)
@click.option("--model", required=True, metavar="MODEL", help="Encoder: a hub id, a folder, or minilm.")
@chaosnli_option
@click.option("--split", metavar="NAME", help="Split to train on.  [default: the first split of the task]")
@click.option(
    "--seed", "seeds", type=int, multiple=True, default=(42,), show_default=True, help="Random seed (repeatable)."
)
@click.option(
    "--stage1", "first", metavar="mnli|FILE", help="Train on these hard labels first. 'mnli' downloads those of MNLI."
)
@click.option(
    "--fields",
    metavar="A[,B]",
    help="Text fields to read.  [default: premise,hypothesis, or the only field]",
)
@click.option("-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Setting of the recipe (repeatable).")
@data_dir_option
@store_option
@finetune_format_option
@pass_workspace
def command(
    workspace: Workspace,
    /,
    given: tuple[str, ...],
    model: str,
    task_name: str,
    split: str | None,
    form: str,
    **more: Any,
) -> None:
    """Fine-tune a small classifier on soft labels.

    Trains one classifier for each --labels and --seed, and measures it on the other splits of the task. The recipe is
    that of Chen et al. 2024; -o changes it. Each result is a run in the store, and existing results are not trained
    again. An interrupted training resumes after its last full epoch.
    """
    from judgeharness.domain.errors import MissingExtraError
    from judgeharness.evaluation.versions import program_arguments
    from judgeharness.finetune import formats as finetuned_forms
    from judgeharness.finetune import leaderboard as finetuned
    from judgeharness.finetune.examples import examples_file
    from judgeharness.finetune.recipe import Recipe
    from judgeharness.plugins import options

    registry = workspace.registry
    write = finetuned_forms.writer(form)
    values = options.parse_pairs(more["pairs"])
    options.require_known(values, {"the recipe": Recipe})
    recipe = options.build(Recipe, values, "the recipe")
    task, held_out = _splits(workspace, task_name, split)
    try:
        from judgeharness.finetune.experiment import Comparison, Experiment
    except ImportError as error:
        raise MissingExtraError("fine-tuning", "judgeharness[finetune]", str(error)) from error
    with workspace.open_store(create=True) as opened:
        comparison = Comparison(
            task=task,
            held_out=held_out,
            labels=_labels(given, task, opened, workspace),
            model=model,
            recipe=recipe,
            seeds=tuple(dict.fromkeys(more["seeds"])),
            fields=tuple(more["fields"].split(",")) if more["fields"] else (),
            first=None if more["first"] is None else examples_file(more["first"]),
            cache=workspace.cache,
            arguments=program_arguments(),
            plugins=registry.plugins,
        )
        experiment = Experiment(comparison, workspace.watcher("steps"))
        measures = workspace.measures(finetuned.METRICS)
        try:
            runs = experiment.run(opened, measures)
        except KeyboardInterrupt as error:
            raise stopped(error, ("what was done is kept", RESUMES)) from error
        write(finetuned.board(runs, opened.runs, measures), sys.stdout)


def _splits(workspace: Workspace, task_name: str, split: str | None) -> tuple[Task, list[Task]]:
    """Return the split to train on, and the other splits, on which the classifiers are measured."""
    from judgeharness.finetune import development_first

    definition = workspace.definition(task_name)
    chosen = split or definition.split_names[0]
    others = development_first(name for name in definition.split_names if name != chosen)
    return workspace.load(definition, chosen), [workspace.load(definition, name) for name in others]


def _labels(given: tuple[str, ...], task: Task, store: Store, workspace: Workspace) -> list[SoftLabels]:
    from judgeharness.finetune.labels import soft_labels

    context = workspace.backend_context()
    return [soft_labels(each, task, store.runs, workspace.registry, context) for each in dict.fromkeys(given)]
