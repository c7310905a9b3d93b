"""The sandbox for wordings: the limits of all templates, and fewer features than a model's chat template has.

A wording needs no large numbers, macros or recursion. Features that easily produce too much text are left out.
"""

from __future__ import annotations

from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError

from judgeharness.domain.sandbox import BoundedEnvironment

MAX_NUMBER = 10_000
MAX_LOOP_DEPTH = 3
LEFT_OUT = ("center", "filesizeformat", "format", "indent", "pprint", "random", "urlize", "wordwrap", "xmlattr")
"""Filters that make long texts from short ones, return another text each time, or produce HTML."""


class Sandbox(BoundedEnvironment):
    """An environment for the wording of prompts."""

    def __init__(self) -> None:
        super().__init__(undefined=jinja2.StrictUndefined)
        for name in LEFT_OUT:
            self.filters.pop(name, None)
        self.globals.pop("namespace", None)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator. `**` is refused, and `*` and `%` take only small numbers."""
        if operator == "**" or (operator in "*%" and not all(_is_small_number(value) for value in (left, right))):
            raise SecurityError(f"'{operator}' is for numbers up to {MAX_NUMBER:,} here")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, called: Any, /, *given: Any, **named: Any) -> Any:
        """Call a function, but not with large numbers."""
        numbers = [value for value in (*given, *named.values()) if isinstance(value, int | float)]
        if not all(map(_is_small_number, numbers)) or getattr(called, "__name__", "") in ("format", "format_map"):
            raise SecurityError(f"a template makes no texts of such a length: {getattr(called, '__name__', called)}")
        return super().call(context, called, *given, **named)


def forbidden(tree: nodes.Template) -> str | None:
    """Return, in words, what in a template goes beyond a wording, or None if nothing does."""
    if next(tree.find_all((nodes.Macro, nodes.CallBlock, nodes.Include, nodes.Import, nodes.FromImport)), None):
        return "a wording has no macros and takes in no other template"
    if next(tree.find_all((nodes.Extends, nodes.Block)), None):
        return "a wording has no blocks"
    if any(loop.recursive for loop in tree.find_all(nodes.For)):
        return "a wording has no recursive loops"
    if _depth(tree) > MAX_LOOP_DEPTH:
        return f"loops stand in each other more than {MAX_LOOP_DEPTH} deep"
    return None


def _is_small_number(value: object) -> bool:
    return isinstance(value, int | float) and abs(value) <= MAX_NUMBER


def _depth(node: nodes.Node) -> int:
    below = max((_depth(child) for child in node.iter_child_nodes()), default=0)
    return below + isinstance(node, nodes.For)
