"""`judgeharness prompts`: prints prompts without running a model."""

from __future__ import annotations

from typing import Any

import click

from judgeharness.cli.shared.parameters import (
    data_dir_option,
    explanations_option,
    limit_option,
    pass_workspace,
    split_option,
    store_option,
    strategy_option,
    task_option,
)
from judgeharness.cli.shared.streams import echo, json_line
from judgeharness.domain.nouns import LETTERS, Prompt
from judgeharness.evaluation.workspace import Workspace


@click.command("prompts")
@task_option
@strategy_option
@click.option("-o", "pairs", multiple=True, metavar="KEY=VALUE", help="Option of the strategy (repeatable).")
@click.option(
    "--format", "form", type=click.Choice(("text", "jsonl")), default="text", show_default=True, help="Output format."
)
@explanations_option
@split_option
@limit_option
@data_dir_option
@store_option
@pass_workspace
def command(
    workspace: Workspace,
    task_name: str,
    strategy_name: str,
    pairs: tuple[str, ...],
    form: str,
    explanations: str,
    split: str | None,
    limit: int | None,
) -> None:
    """Print the prompts of a strategy.

    If a strategy asks in several turns, prints only the first. --limit counts items.

    With --format jsonl, each line is a prompt: uid, explanations (indices of the item's explanations in the order
    shown, from 0), options (the labels behind A, B, C, ...), content (the last message) and, if there are several,
    messages (all of them).
    """
    from judgeharness.evaluation.components import choose, require_known
    from judgeharness.plugins import options
    from judgeharness.tasks.explanations import explained

    choice, values = choose(workspace.registry.strategies, strategy_name), options.parse_pairs(pairs)
    require_known(values, [choice])
    strategy = choice.make(values)
    task = explained(workspace.task(task_name, split, limit), workspace.explanations(explanations))
    strategy.part.check(task)
    names = [label.name for label in task.labels]
    for item in task.items:
        for prompt in strategy.part.group(item, task).prompts:
            row = _row(item.uid, prompt, names)
            echo(json_line(row) if form == "jsonl" else _text(row))


def _row(uid: str, prompt: Prompt, names: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "uid": uid,
        "explanations": list(prompt.explanations),
        "options": [names[index] for index in prompt.options],
        "content": prompt.messages[-1].content,
    }
    if len(prompt.messages) > 1:
        row["messages"] = [{"role": message.role, "content": message.content} for message in prompt.messages]
    return row


def _text(row: dict[str, Any]) -> str:
    options = ", ".join(f"{letter}={name}" for letter, name in zip(LETTERS, row["options"], strict=False))
    head = f"── {row['uid']} · {options}"
    if row["explanations"]:
        head += f" · explanations {', '.join(map(str, row['explanations']))}"
    return f"{head}\n{row['content']}\n"
