"""The `judgeharness` program: a module a command, each imported when it is called."""

from __future__ import annotations

from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import CommandSpec


@hookimpl
def judgeharness_commands() -> list[CommandSpec]:
    """The commands that ship with judgeharness."""
    return [
        CommandSpec(name="eval", summary="Evaluate models as judges.", target="judgeharness.cli.eval:command"),
        CommandSpec(
            name="leaderboard", summary="Rank the runs in the store.", target="judgeharness.cli.leaderboard:command"
        ),
        CommandSpec(name="compare", summary="Compare runs item by item.", target="judgeharness.cli.compare:command"),
        CommandSpec(name="bias", summary="Show what letters a judge prefers.", target="judgeharness.cli.bias:command"),
        CommandSpec(
            name="slices", summary="Measure runs on parts of their items.", target="judgeharness.cli.slices:command"
        ),
        CommandSpec(name="explain", summary="Have a model explain labels.", target="judgeharness.cli.explain:command"),
        CommandSpec(
            name="run", summary="Run a suite of evaluations, with a report.", target="judgeharness.cli.run:command"
        ),
        CommandSpec(
            name="reproduce", summary="Measure a published table again.", target="judgeharness.cli.reproduce:command"
        ),
        CommandSpec(
            name="finetune",
            summary="Fine-tune a classifier on soft labels.",
            target="judgeharness.cli.finetune:command",
        ),
        CommandSpec(
            name="relation", summary="Do better labels teach better?", target="judgeharness.cli.relation:command"
        ),
        CommandSpec(name="export", summary="Write soft labels to files.", target="judgeharness.cli.export:command"),
        CommandSpec(name="plot", summary="Draw runs.", target="judgeharness.cli.plot:command"),
        CommandSpec(name="report", summary="Write a page to look at.", target="judgeharness.cli.report:command"),
        CommandSpec(
            name="score", summary="Measure predictions made elsewhere.", target="judgeharness.cli.score:command"
        ),
        CommandSpec(name="verify", summary="Ask for stored answers again.", target="judgeharness.cli.verify:command"),
        CommandSpec(name="rerun", summary="Make a run again.", target="judgeharness.cli.rerun:command"),
        CommandSpec(
            name="merge", summary="Join the stores of several machines.", target="judgeharness.cli.merge:command"
        ),
        CommandSpec(name="store", summary="Check, rescue or copy the store.", target="judgeharness.cli.store:command"),
        CommandSpec(name="show", summary="Show a run, or one item of it.", target="judgeharness.cli.show:command"),
        CommandSpec(name="list", summary="List tasks, backends, metrics, ...", target="judgeharness.cli.list:command"),
        CommandSpec(name="parity", summary="Check that backends agree.", target="judgeharness.cli.parity:command"),
        CommandSpec(
            name="prompts", summary="Print the prompts of a strategy.", target="judgeharness.cli.prompts:command"
        ),
        CommandSpec(
            name="data", summary="Find, fetch, check and export datasets.", target="judgeharness.cli.data:command"
        ),
        CommandSpec(
            name="plugins", summary="Show plugins and what they provide.", target="judgeharness.cli.plugins:command"
        ),
        CommandSpec(
            name="new-task", summary="Make a task of a JSON-lines file.", target="judgeharness.cli.new_task:command"
        ),
        CommandSpec(
            name="new-plugin", summary="Begin a plugin of your own.", target="judgeharness.cli.new_plugin:command"
        ),
        CommandSpec(
            name="completion",
            summary="Print a shell's completion script.",
            target="judgeharness.cli.completion:command",
        ),
        CommandSpec(
            name="doctor", summary="Check what is installed and at hand.", target="judgeharness.cli.doctor:command"
        ),
    ]
