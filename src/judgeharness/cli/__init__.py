"""The `judgeharness` program. Each command is a module, which is imported when the command is used."""

from __future__ import annotations

from collections.abc import Mapping

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import CommandSpec

COMMANDS: Mapping[str, Mapping[str, str]] = {
    "Ask": {
        "eval": "Evaluate models as judges.",
        "prompts": "Print the prompts of a strategy.",
        "explain": "Generate explanations for labels with a model.",
        "run": "Run a suite of evaluations and write a report.",
        "reproduce": "Reproduce a published table.",
        "score": "Score predictions made elsewhere.",
    },
    "Look": {
        "leaderboard": "Rank the runs in the store.",
        "show": "Show a run, or one item of it.",
        "report": "Write an HTML report.",
        "plot": "Draw runs, in the terminal or to a file.",
        "list": "List tasks, backends, metrics, ...",
    },
    "Analyse": {
        "compare": "Compare runs item by item.",
        "slices": "Measure runs on parts of their items.",
        "bias": "Show which letters and positions a judge prefers.",
        "parity": "Check that backends agree.",
        "finetune": "Fine-tune a classifier on soft labels.",
        "relation": "Relate label quality to fine-tuning results.",
    },
    "Data": {
        "data": "Find, download, check and export datasets.",
        "new-task": "Create a task from a JSON-lines file.",
        "export": "Export soft labels for other trainers.",
    },
    "Store": {
        "store": "Check, rescue or back up a store.",
        "merge": "Merge the stores of several machines.",
        "verify": "Check stored answers by asking the model again.",
        "rerun": "Repeat a run from its record.",
    },
    "Extend": {
        "new-plugin": "Create a plugin with one component.",
        "plugins": "Show plugins and what they provide.",
    },
    "Set up": {
        "doctor": "Check what is installed and which backends can run.",
        "completion": "Print a completion script for the shell.",
    },
}
"""The summary of each command, by the section of `judgeharness --help` in which it is listed."""


@hookimpl
def judgeharness_commands() -> list[CommandSpec]:
    """Return the commands that ship with judgeharness."""
    return [
        CommandSpec(
            name=name,
            summary=summary,
            target=f"judgeharness.cli.{name.replace('-', '_')}:command",
            section=section,
        )
        for section, commands in COMMANDS.items()
        for name, summary in commands.items()
    ]
