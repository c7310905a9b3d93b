"""Writes docs/cli.md from the program itself: `python docs/site/generate.py`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import click

from judgeharness.cli.program import program
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.loading import SELECTION_VARIABLE, load_plugins
from judgeharness.plugins.registry import Registry

PAGE = Path(__file__).resolve().parents[1] / "cli.md"
WIDTH = 100
HEAD = """\
# Commands

This page is generated from the program and shows the `--help` of every command. Every command takes `--plugin
FILE_OR_MODULE`, `--debug` and `--help`. Exit codes: 0 done, 1 failed or incomplete, 2 wrong usage or bad input.
"""


def page() -> str:
    """Return the whole page."""
    root = _context(program, "judgeharness", None)
    return HEAD + "".join(f"\n## {name}\n\n```text\n{text}\n```\n" for name, text in _commands(program, root))


def _commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, str]]:
    yield context.command_path, command.get_help(context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is not None:
                yield from _commands(child, _context(child, name, context))


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, **command.context_settings}
    return click.Context(command, info_name=name, parent=parent, obj=_Own(), **settings)


class _Own(Workspace):
    """Workspace with the built-in components only, whatever plugins are installed."""

    @cached_property
    def registry(self) -> Registry:
        return Registry(load_plugins((), {SELECTION_VARIABLE: ""}))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
