"""`judgeharness score`: measures for predictions that were made elsewhere."""

from __future__ import annotations

import click

from judgeharness.cli.eval import evaluate
from judgeharness.cli.parameters import data_dir_option, format_option, split_option, store_option
from judgeharness.cli.program import Session

EXAMPLES = """\b
Example:
  judgeharness score predictions.jsonl --task chaosnli --metric rankcs
"""


@click.command("score", epilog=EXAMPLES)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--task", "task_name", required=True, metavar="NAME|FILE.toml", help="The task that they are about.")
@click.option("--model", metavar="NAME", help="Which one of a file that has several.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A metric besides the default ones; repeats.")
@split_option
@data_dir_option
@store_option
@format_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    task_name: str,
    model: str | None,
    metrics: tuple[str, ...],
    split: str | None,
    data_dir: str | None,
    store: str | None,
    form: str,
) -> int:
    """Measure distributions in files: .json as ChaosNLI has predictions, .jsonl with uid and probabilities, or .csv.

    Every item has to be there once, with probabilities that sum to 1; else everything that is wrong is listed, and
    nothing is scored. The same as 'eval --backend file:FILE': it is kept in the store, and can be compared.
    """
    from judgeharness.evaluation import Request
    from judgeharness.record import program_arguments

    request = Request(
        tasks=(task_name,),
        backends=tuple(dict.fromkeys(f"file:{file}" for file in files)),
        metrics=metrics,
        values={} if model is None else {"model": model},
        split=split,
        arguments=program_arguments(),
    )
    return evaluate(context.ensure_object(Session), request, data_dir, store, form)
