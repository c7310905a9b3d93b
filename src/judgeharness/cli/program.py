"""The program: it finds commands through plugins, imports the one that is called, and prints errors."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from judgeharness.cli.shared.signals import how, listen
from judgeharness.cli.shared.streams import echo, make_steady
from judgeharness.domain.api_keys import remember_environment, remember_words
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.escaping import safe_line
from judgeharness.evaluation.workspace import Workspace

if TYPE_CHECKING:
    from judgeharness.evaluation.progress import Watcher
    from judgeharness.plugins.walls import Wall


HELP = """\
Measure how well LLM judges approximate human judgment distributions.

\b
New here? Run this first. It needs no model and no download:
  judgeharness eval --task nli-sample --backend baseline:uniform
Then check which backends can run on this machine:
  judgeharness doctor
"""


class Program(click.Group):
    """Command group whose commands come from plugins."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(dict.fromkeys(spec.name for spec, _ in _workspace(context).registry.commands))

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import and return a command, or return None, which click reports, if there is none of that name."""
        commands = _workspace(context).registry.commands
        if name not in commands:
            return None
        command = commands.load(name)
        if not isinstance(command, click.Command):
            raise HarnessError(f"command '{name}' is a {type(command).__name__}, not a click.Command")
        _with_shared_options(command)
        if commands.plugin(name).origin != "built-in":
            _put_behind(commands.wall(name), command)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections. Only specs are read: importing commands would take too long."""
        specs = [spec for spec, _ in _workspace(context).registry.commands]
        width = max((len(spec.name) for spec in specs), default=0)
        rows: dict[str, list[tuple[str, str]]] = {}
        for spec in specs:
            rows.setdefault(spec.section, []).append((spec.name.ljust(width), spec.summary))
        for section, listed in rows.items():
            with formatter.section(section):
                formatter.write_dl(listed)

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Resolve a command, or raise an error that suggests the nearest names."""
        name = args[0]
        commands = _workspace(context).registry.commands
        if not name.startswith("-") and name not in commands:
            commands.spec(name)
        return super().resolve_command(context, args)


def _workspace(context: click.Context) -> Workspace:
    workspace = context.find_object(Workspace)
    if workspace is None:
        workspace = context.obj = _opened()
    return workspace


def _opened() -> Workspace:
    return Workspace(watch=_watch, warn=lambda line: echo(safe_line(line), err=True))


def _watch(unit: str) -> Watcher:
    from judgeharness.reports.progress import ConsoleWatcher

    return ConsoleWatcher(unit)


def _take_plugins(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> None:
    _workspace(context).add_plugins(value)


def _take_debug(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        _workspace(context).debug = True


def _shared_options() -> list[click.Option]:
    return [
        click.Option(
            ["--plugin"],
            multiple=True,
            expose_value=False,
            is_eager=True,
            callback=_take_plugins,
            metavar="FILE_OR_MODULE",
            help="Load a plugin, or switch one off with no:NAME (repeatable).",
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            expose_value=False,
            is_eager=True,
            callback=_take_debug,
            help="Show the traceback of an error.",
        ),
    ]


def _with_shared_options(command: click.Command) -> None:
    taken = {name for parameter in command.params for name in parameter.opts}
    command.params += [option for option in _shared_options() if not taken.intersection(option.opts)]
    if isinstance(command, click.Group):
        for child in command.commands.values():
            _with_shared_options(child)


def _put_behind(wall: Wall, command: click.Command) -> None:
    """Attribute errors in the command of a plugin to that plugin."""
    for method in ("make_context", "invoke"):
        if method not in vars(command):
            setattr(command, method, wall.function(method, getattr(command, method)))


def _print_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from judgeharness.evaluation.versions import environment_lines

    for line in environment_lines(_workspace(context).registry.plugins):
        echo(line)
    context.exit()


_version = click.Option(
    ["--version"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the versions of judgeharness, Python, packages and plugins.",
)

program = Program(
    name="judgeharness",
    params=[*_shared_options(), _version],
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit. Codes: 0 done, 1 failed or incomplete, 2 wrong usage or bad input."""
    output = make_steady()
    sys.excepthook = _print_trace
    listen()
    _show_notes()
    code = run(arguments)
    # A plugin may have closed or detached it.
    with contextlib.suppress(ValueError):
        sys.stdout.flush()
    # A reader that closes the pipe, such as head, has all it wants.
    if output.failure is not None and not isinstance(output.failure, ConnectionError):
        _print_error([f"standard output cannot be written to: {output.failure.strerror}"])
        code = code or HarnessError.exit_code
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the program and return its exit code."""
    workspace = _opened()
    remember_environment()
    remember_words(sys.argv[1:] if arguments is None else arguments)
    try:
        result: Any = program.main(args=arguments, standalone_mode=False, obj=workspace)
        return result if isinstance(result, int) else 0
    except (click.exceptions.Exit, SystemExit) as error:
        return _code_of(error)
    except click.ClickException as error:
        _print_error(_worded(error))
        return InputError.exit_code if isinstance(error, click.UsageError) else error.exit_code
    except HarnessError as error:
        if workspace.debug:
            raise
        _print_error(error.lines())
        return error.exit_code
    except UnicodeEncodeError as error:
        # Streams and files accept any text, so the text was a value for the store or the name of a file.
        if workspace.debug:
            raise
        _print_error([f"'{error.object[:80]}' holds bytes that are not UTF-8, or characters that this locale lacks"])
        return InputError.exit_code
    except (KeyboardInterrupt, click.Abort) as error:
        _print_error([how(error)])
        return HarnessError.exit_code


def _show_notes() -> None:
    """Print log records of judgeharness, one line each."""
    import logging

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            echo(safe_line(f"note: {record.getMessage()}"), err=True)

    logging.getLogger("judgeharness").addHandler(Notes())


def _code_of(error: click.exceptions.Exit | SystemExit) -> int:
    """Return the exit code. Only the command of a plugin raises SystemExit."""
    code = error.exit_code if isinstance(error, click.exceptions.Exit) else error.code
    if code is None or isinstance(code, int):
        return code or 0
    _print_error([" ".join(str(code).split())])
    return HarnessError.exit_code


def _worded(error: click.ClickException) -> list[str]:
    """Return an error of click in two lines: what is wrong, and the command that shows the help."""
    message = " ".join(error.format_message().split()).rstrip(".")
    context = error.ctx if isinstance(error, click.UsageError) else None
    return [message, *([] if context is None else [f"'{context.command_path} --help' says what there is"])]


def _print_error(lines: Sequence[str]) -> None:
    for place, line in enumerate(lines):
        echo(("  " if place else "error: ") + safe_line(line), err=True)


def _print_trace(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Print a traceback as one text, so that API keys that span lines are hidden too."""
    import traceback

    echo("".join(traceback.format_exception(kind, error, trace)).rstrip("\n"), err=True)
