"""`--executor`, and the options of executors that are options of the command itself."""

from __future__ import annotations

import itertools

import click

from judgeharness.cli.shared.component_name import ComponentName
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.specs import Flag

_FLAGS = "judgeharness.flags"

executor_option = click.option(
    "--executor",
    default="local",
    show_default=True,
    type=ComponentName("executors"),
    metavar="NAME",
    help="Where prompts are answered.",
)


class WithExecutors(click.Command):
    """A command with `--executor`, and with the flags of all executors that plugins provide."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """As click does, once the plugins are loaded that the same line names: their flags may stand in it."""
        given = [value for word, value in itertools.pairwise(args) if word == "--plugin"]
        given += [word.removeprefix("--plugin=") for word in args if word.startswith("--plugin=")]
        context.ensure_object(Workspace).add_plugins(given)
        return super().parse_args(context, args)

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """As click does, and the flags; one that is the command's already is left out."""
        own = super().get_params(context)
        taken = {name for parameter in own for name in parameter.opts}
        flags = [flag for spec, _ in context.ensure_object(Workspace).registry.executors for flag in spec.flags]
        return [*own, *(_option(flag) for flag in flags if f"--{flag.name}" not in taken)]


def given_flags() -> list[str]:
    """Return the flags that were given to the current command, as `-o` would have them: key=value."""
    return [f"{option}={value}" for option, value in click.get_current_context().meta.get(_FLAGS, {}).items()]


def _option(flag: Flag) -> click.Option:
    def keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta.setdefault(_FLAGS, {})[flag.option] = value

    return click.Option([f"--{flag.name}"], metavar=flag.metavar, help=flag.summary, expose_value=False, callback=keep)
