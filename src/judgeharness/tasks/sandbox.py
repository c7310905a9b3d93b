"""Where templates run: they read what they are given, and can neither reach anything else nor fill the machine.

Jinja's own sandbox keeps Python's insides out of reach. What it does not keep in check is how much a template computes:
numbers and texts of any size, loops within loops. A wording of a prompt needs none of that, and what is easily made
too large is left out. Time is not limited: whoever writes long chains of filters can still waste some.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS = 4_000_000
MOST_PIECES = 1_000_000
LARGEST_NUMBER = 10_000
DEEPEST_LOOPS = 3
LEFT_OUT = ("center", "filesizeformat", "format", "indent", "pprint", "random", "urlize", "wordwrap", "xmlattr")
"""Filters that make long texts of short ones, another text each time, or HTML."""


class _Sandbox(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset(["*", "**", "%"])

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or not all(_is_small_number(value) for value in (left, right)):
            raise SecurityError(f"'{operator}' is for numbers up to {LARGEST_NUMBER:,} here")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, *given: Any, **named: Any) -> Any:
        numbers = [value for value in (*given, *named.values()) if isinstance(value, int | float)]
        if not all(map(_is_small_number, numbers)) or getattr(called, "__name__", "") in ("format", "format_map"):
            raise SecurityError(f"a template makes no texts of such a length: {getattr(called, '__name__', called)}")
        return super().call(context, called, *given, **named)


def sandbox() -> jinja2.Environment:
    """An environment for the wording of prompts: plain text, in which HTML is not escaped."""
    environment = _Sandbox(undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False)
    for name in LEFT_OUT:
        environment.filters.pop(name, None)
    for name in ("lipsum", "namespace"):
        environment.globals.pop(name, None)
    return environment


def forbidden(tree: nodes.Template) -> str | None:
    """What of a template is for larger things than a wording, in words; None where there is nothing of the kind."""
    if next(tree.find_all((nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport)), None):
        return "a wording has no macros and takes in no other template"
    if next(tree.find_all((nodes.Extends, nodes.Block)), None):
        return "a wording has no blocks"
    if any(loop.recursive for loop in tree.find_all(nodes.For)):
        return "a wording has no recursive loops"
    if _depth(tree) > DEEPEST_LOOPS:
        return f"loops stand in each other more than {DEEPEST_LOOPS} deep"
    return None


def bounded(pieces: Iterable[str]) -> str:
    """The text of its pieces. Raises SecurityError where it gets longer than a prompt can be."""
    found, length = [], 0
    for piece in pieces:
        found.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS or len(found) > MOST_PIECES:
            raise SecurityError(f"writes more than {MOST_CHARACTERS:,} characters, or goes round too often")
    return "".join(found)


def _is_small_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= LARGEST_NUMBER


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)
