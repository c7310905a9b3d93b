"""Jinja for untrusted templates: they reach only what they are given, and they end.

Jinja's own sandbox protects Python's internals, but does not limit how much a template computes with nested loops,
recursion, and texts and lists that double with each step. In this sandbox, a template pays for each block, call,
filter, operator and text from a supply that is the same on every machine. The result of each operation is bounded
before it is built, and a time limit stops what is cheap but slow. Nothing is computed while a template is compiled.
"""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import Any

import jinja2
from jinja2 import nodes, pass_eval_context
from jinja2.compiler import CodeGenerator
from jinja2.exceptions import SecurityError
from jinja2.filters import make_attrgetter, sync_do_join
from jinja2.runtime import Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from judgeharness.domain import growth
from judgeharness.domain.growth import MAX_CHARACTERS, weight

MAX_SOURCE_LENGTH = 1 << 17
SUPPLY = 48_000_000
SECONDS = 5.0
BLOCK = 64
NODE = 8
LOOKS = 10_000

LISTING = frozenset(
    ("batch", "groupby", "list", "map", "reject", "rejectattr", "select", "selectattr", "slice", "sort", "unique")
)
"""Filters that turn each character of a text into a value."""

SHARED = frozenset(("attr", "d", "default", "first", "get", "items", "keys", "last", "max", "min", "random", "values"))
"""Filters and methods that build nothing, but return what already exists."""

LEFT_OUT = ("pprint", "urlize", "wordwrap")
"""Filters for web pages and debugging that may take long even for a short text."""


class LimitError(SecurityError):
    """A template computes too much."""


class BoundedEnvironment(ImmutableSandboxedEnvironment):
    """Compiles and renders templates within limits."""

    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%", "**"))

    def __init__(self, **settings: Any) -> None:
        # Escaping for HTML would change the prompt.
        super().__init__(
            trim_blocks=True, lstrip_blocks=True, autoescape=False, optimized=False, finalize=_writable, **settings
        )
        self.code_generator_class = _Metered
        self.globals["namespace"] = _Namespace
        self.globals.pop("lipsum", None)
        self.policies["json.dumps_function"] = bounded_json
        self.filters["join"] = self._join
        for name, function in self.filters.items():
            self.filters[name] = self._refusing(name) if name in LEFT_OUT else self._paid(name, function)
        self._lock = threading.Lock()
        self._refill(math.inf)

    def compiled(self, source: str) -> jinja2.Template:
        """Return a compiled template.

        Raises:
            TemplateError: If the template is not valid.
            LimitError: If it is too long, or if Python cannot compile it.
        """
        if len(source) > MAX_SOURCE_LENGTH:
            raise LimitError(f"is longer than {MAX_SOURCE_LENGTH:,} characters")
        try:
            return self.from_string(source)
        except RecursionError as error:
            raise LimitError("is nested too deeply") from error
        # Python's own compiler rejects more than 20 nested loops, and numbers with thousands of digits.
        except (MemoryError, OverflowError, SyntaxError, ValueError) as error:
            raise LimitError(f"cannot be compiled: {error}") from error

    def text(self, template: jinja2.Template, values: Mapping[str, Any]) -> str:
        """Return what a template of this environment renders. Raises LimitError, and whatever its expressions raise."""
        with self._lock:
            self._refill(time.monotonic() + SECONDS)
            try:
                return _bounded(template.generate(values), "writes")
            except RecursionError as error:
                raise LimitError("calls itself too often") from error

    def step(self, price: int = BLOCK) -> bool:
        """Pay for a block. Compiled templates call this method and those that follow."""
        self._left -= price
        if self._left < self._next_look:
            self._look()
        return True

    def held(self, value: Any) -> Any:
        """Pay for a new value and return it. Raises LimitError if it is too large."""
        self._spend(self._fitting(weight(value)))
        return value

    def shown(self, text: str) -> str:
        """Pay for a text that is written, and return it."""
        self._spend(len(text))
        return text

    def joined(self, join: Callable[[Iterable[Any]], str], parts: tuple[Any, ...]) -> Any:
        """Join parts into one text."""
        self._fitting(sum(map(weight, parts)))
        return self.held(join(parts))

    def concat(self, pieces: Iterable[str]) -> str:
        """Join the pieces of a macro or block into one text."""
        found = pieces if isinstance(pieces, list) else list(pieces)
        self._fitting(sum(map(len, found)))
        return str(self.held("".join(found)))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Apply an operator after checking the size of its result."""
        if operator == "+" and type(left) is str and type(right) is str:
            self._spend(self._fitting(len(left) + len(right)))
            return left + right
        self._fitting(growth.of_operator(operator, left, right))
        return self.held(super().call_binop(context, operator, left, right))

    def call(self, context: Any, called: Any, /, *given: Any, **named: Any) -> Any:
        """Call something. The size of the result is checked first if it is a method of a text or number."""
        self.step()
        owner, name = getattr(called, "__self__", None), getattr(called, "__name__", "")
        if isinstance(owner, str | bytes | int | float):
            if name == "join" and given:
                given = (list(given[0]), *given[1:])
            self._spend(_read(owner))
            self._fitting(growth.of_method(name, owner, *given, **_without_scopes(named)))
        result = super().call(context, called, *given, **named)
        return result if name in SHARED else self.held(result)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Wrap a text's `format` as Jinja does, and bound its result."""
        inner = super().wrap_str_format(value)
        if inner is None:
            return None
        form, checked = value.__self__, inner

        @wraps(checked)
        def bounded(*given: Any, **named: Any) -> str:
            self._fitting(growth.of_format(form, [*given, *named.values()]))
            return checked(*given, **named)

        return bounded

    def _paid(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        first = 0 if getattr(function, "jinja_pass_arg", None) is None else 1
        lists, grows, makes = name in LISTING, name in growth.FILTERS, name not in SHARED

        @wraps(function)
        def paid(*given: Any, **named: Any) -> Any:
            value = given[first]
            self.step(BLOCK + _read(value))
            if lists and isinstance(value, str):
                self._fitting(growth.ELEMENT * len(value))
            if grows:
                self._fitting(growth.of_filter(name, *given[first:], **named))
            result = function(*given, **named)
            return self.held(result) if makes else result

        return paid

    def _refusing(self, name: str) -> Callable[..., Any]:
        def refuse(*given: Any, **named: Any) -> Any:
            raise LimitError(f"uses the filter '{name}', which is not available")

        return refuse

    @pass_eval_context
    def _join(self, eval_ctx: Any, value: Iterable[Any], d: Any = "", attribute: Any = None) -> str:
        parts = list(value if attribute is None else map(make_attrgetter(self, attribute), value))
        self._fitting(sum(map(weight, parts)) + len(parts) * weight(d))
        return sync_do_join(eval_ctx, parts, d)

    def _refill(self, deadline: float) -> None:
        self._left, self._next_look, self._deadline = SUPPLY, SUPPLY, deadline

    def _fitting(self, size: int) -> int:
        if size > MAX_CHARACTERS:
            raise LimitError(f"makes a text or list of more than {MAX_CHARACTERS:,} characters")
        return size

    def _spend(self, amount: int) -> None:
        self._left -= amount
        if self._left < self._next_look:
            self._look()

    def _look(self) -> None:
        if self._left < 0:
            raise LimitError("computes too much: it loops too often, or makes too many long texts")
        if time.monotonic() > self._deadline:
            raise LimitError(f"takes longer than {SECONDS:g} seconds")
        self._next_look = max(self._left - LOOKS, 0)


class _Metered(CodeGenerator):
    """Generates code that pays for what it does. It computes nothing at compile time."""

    def blockvisit(self, body: Iterable[nodes.Node], frame: Any) -> None:
        body = list(body)
        size = sum(1 for node in body for _ in node.find_all(nodes.Expr))
        self.writeline(f"environment.step({BLOCK + NODE * size})")
        super().blockvisit(body, frame)

    def visit_For(self, node: nodes.For, frame: Any) -> None:  # noqa: N802 (so named by Jinja)
        if node.test is not None:
            step = nodes.Call(nodes.EnvironmentAttribute("step"), [], [], None, None)
            node.test = nodes.And(step, node.test).set_lineno(node.lineno)
        super().visit_For(node, frame)

    def visit_Concat(self, node: nodes.Concat, frame: Any) -> None:  # noqa: N802
        join = "markup_join if context.eval_ctx.autoescape else str_join"
        self.write(f"environment.joined({join}, (")
        for part in node.nodes:
            self.visit(part, frame)
            self.write(", ")
        self.write("))")

    def visit_List(self, node: nodes.List, frame: Any) -> None:  # noqa: N802
        self._held(super().visit_List, node, frame)

    def visit_Dict(self, node: nodes.Dict, frame: Any) -> None:  # noqa: N802
        self._held(super().visit_Dict, node, frame)

    def visit_Tuple(self, node: nodes.Tuple, frame: Any) -> None:  # noqa: N802
        if node.ctx == "load":
            self._held(super().visit_Tuple, node, frame)
        else:
            super().visit_Tuple(node, frame)

    def visit_Getitem(self, node: nodes.Getitem, frame: Any) -> None:  # noqa: N802
        if isinstance(node.arg, nodes.Slice):
            self._held(super().visit_Getitem, node, frame)
        else:
            super().visit_Getitem(node, frame)

    def _held(self, visit: Callable[[Any, Any], None], node: nodes.Node, frame: Any) -> None:
        self.write("environment.held(")
        visit(node, frame)
        self.write(")")

    def _output_child_to_const(self, node: nodes.Expr, frame: Any, finalize: Any) -> str:
        if not isinstance(node, nodes.TemplateData):
            raise nodes.Impossible()
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        # Output that is not collected in a buffer first is counted when it is written.
        if frame.buffer is not None:
            self.write("environment.shown(")
        super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Any, finalize: Any) -> None:
        super()._output_child_post(node, frame, finalize)
        if frame.buffer is not None:
            self.write(")")


class _Namespace(Namespace):
    def __repr__(self) -> str:
        # Jinja's shows the whole content, and namespaces may contain each other.
        return "<Namespace>"


def _writable(value: Any) -> Any:
    """Return a value that may be written. Others would be shown by their address in memory, which changes each time."""
    if isinstance(value, Undefined | Macro):
        return value
    if callable(value) or isinstance(value, Iterator):
        raise SecurityError(f"writes a {type(value).__name__}, which is not a text")
    return value


def bounded_json(value: Any, **settings: Any) -> str:
    """Do what json.dumps does. Raises LimitError if the text gets too long."""
    return _bounded(json.JSONEncoder(**settings).iterencode(value), "makes JSON of")


def _bounded(pieces: Iterable[str], what: str) -> str:
    found, length = [], 0
    for piece in pieces:
        found.append(piece)
        length += len(piece)
        if length > MAX_CHARACTERS:
            raise LimitError(f"{what} more than {MAX_CHARACTERS:,} characters")
    return "".join(found)


def _read(value: Any) -> int:
    """Return the cost of iterating over a value."""
    if isinstance(value, str | bytes):
        return len(value) >> 4
    return growth.ELEMENT * len(value) if isinstance(value, list | tuple | dict | range) else 0


def _without_scopes(named: Mapping[str, Any]) -> dict[str, Any]:
    """Return named arguments without those that Jinja adds."""
    return {name: value for name, value in named.items() if not name.startswith("_")}
