"""`--executor`, and the flags that executors add to a command."""

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
    help="Where models run: local, or an executor of a plugin.",
)


class WithExecutors(click.Command):
    """Command with `--executor` and with the flags of all executors that plugins provide."""

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse arguments, after loading the plugins of the same command line, whose flags may be among them."""
        given = [value for word, value in itertools.pairwise(args) if word == "--plugin"]
        given += [word.removeprefix("--plugin=") for word in args if word.startswith("--plugin=")]
        context.ensure_object(Workspace).add_plugins(given)
        return super().parse_args(context, args)

    def get_params(self, context: click.Context) -> list[click.Parameter]:
        """Return the parameters of the command and the flags of executors, except flags whose name is taken."""
        own = super().get_params(context)
        taken = {name for parameter in own for name in parameter.opts}
        flags = [flag for spec, _ in context.ensure_object(Workspace).registry.executors for flag in spec.flags]
        return [*own, *(_option(flag) for flag in flags if f"--{flag.name}" not in taken)]


def given_flags() -> list[str]:
    """Return the executor flags given to the current command as `key=value`, the form of `-o`."""
    return [f"{option}={value}" for option, value in click.get_current_context().meta.get(_FLAGS, {}).items()]


def _option(flag: Flag) -> click.Option:
    def keep(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        if value is not None:
            context.meta.setdefault(_FLAGS, {})[flag.option] = value

    return click.Option([f"--{flag.name}"], metavar=flag.metavar, help=flag.summary, expose_value=False, callback=keep)
