"""The help of every command, and the wording of help and documentation."""

from pathlib import Path

import click
import pytest

from judgeharness.cli.program import program
from judgeharness.evaluation.workspace import Workspace
from judgeharness.plugins.loading import SELECTION_VARIABLE, load_plugins
from judgeharness.plugins.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WIDTH, INDENT = 80, 2
AVOIDED = (
    "unless given",
    "; repeats",
    "repeats.",
    "people: one half",
    "goes on where",
    "ruled by",
    "made again",
    "in writing",
    "reported unasked",
    "is no number",
    "is none of",
    "has to be",
    "figures",
    "bands",
    " road",
    "by halves",
    "do better labels teach better",
    "page to look at",
)
"""Phrases that readers stumble over. "Figures" are avoided for values; "publication figures" are pictures."""


class OwnWorkspace(Workspace):
    """Workspace with the built-in components only."""

    built_in = Registry(load_plugins((), {SELECTION_VARIABLE: ""}))

    @property
    def registry(self):
        return self.built_in


def walked(command=program, name="judgeharness", parent=None):
    settings = {"terminal_width": WIDTH, "max_content_width": WIDTH, **command.context_settings}
    context = click.Context(command, info_name=name, parent=parent, obj=OwnWorkspace(), **settings)
    yield context
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            yield from walked(command.get_command(context, each), each, context)


COMMANDS = {context.command_path: context for context in walked()}


def avoided_in(text):
    """Return the phrases in a text, in which a line break counts as a space."""
    words = " ".join(text.lower().split()).replace("publication figures", "")
    return [phrase for phrase in AVOIDED if phrase in words]


@pytest.mark.parametrize("path", COMMANDS)
def test_help_avoids_phrases_that_readers_stumble_over(path):
    assert avoided_in(COMMANDS[path].get_help()) == []


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_has_a_help_text(path):
    context = COMMANDS[path]
    options = [each for each in context.command.get_params(context) if isinstance(each, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("path", COMMANDS)
def test_the_first_line_of_help_fits_a_terminal(path):
    paragraph = COMMANDS[path].command.help.strip().split("\n\n")[0]
    first = " ".join(paragraph.split())
    assert first.endswith(".")
    assert len(first) <= WIDTH - INDENT


def test_commands_are_listed_in_sections_with_a_first_step():
    shown = COMMANDS["judgeharness"].get_help()
    places = [shown.index(f"\n{section}:\n") for section in ("Ask", "Look", "Analyse", "Data", "Store", "Extend")]
    assert places == sorted(places)
    assert shown.index("judgeharness eval --task nli-sample --backend baseline:uniform\n") < places[0]
    assert all(f"\n  {name} " in shown for name in program.list_commands(COMMANDS["judgeharness"]))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_avoid_phrases_that_readers_stumble_over(page):
    assert avoided_in(page.read_text(encoding="utf-8")) == []
