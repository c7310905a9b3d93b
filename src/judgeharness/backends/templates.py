"""Renders chat templates as transformers does, with the same whitespace rules and functions, in a stricter sandbox.

There are two differences. The caller sets the date that a template takes for today, and a template's computation is
bounded, since it comes with a model file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from judgeharness.domain.errors import HarnessError, first_line
from judgeharness.domain.sandbox import BoundedEnvironment, LimitError, bounded_json

MAX_DATE_FORM_LENGTH = 1_000
MAX_ADDED = 1 << 16
MAX_REPEATED = 8
"""A template may add MAX_ADDED characters of its own, and may repeat each text of the conversation this many times."""
SHOWN = 200
"""How many characters of a template's refusal are shown."""

_WIDTH = re.compile(r"%[^a-zA-Z%]*\d{3}")


class ChatTemplate:
    """A compiled chat template.

    Args:
        source: The template.
        special: The texts of special tokens by name, such as bos_token.

    Raises:
        HarnessError: If the template is not valid.
    """

    def __init__(self, source: str, special: Mapping[str, str]) -> None:
        self._special = special
        self._environment = BoundedEnvironment(extensions=[_Generation, loopcontrols])
        self._environment.filters["tojson"] = _to_json
        self._environment.globals["raise_exception"] = _raise
        self._environment.globals["strftime_now"] = self._date
        try:
            self._compiled = self._environment.compiled(source)
        except jinja2.TemplateSyntaxError as error:
            raise HarnessError(
                f"the model's chat template is not valid, line {error.lineno}: {error.message}"
            ) from error
        except jinja2.TemplateError as error:
            raise HarnessError(f"the model's chat template {error}") from error

    def render(self, turns: Sequence[Mapping[str, Any]], answer_follows: bool, today: date) -> str:
        """Return the text of a conversation, at midnight of a day. Raises HarnessError if the template refuses it."""
        self._now = datetime.combine(today, time())
        values = {
            **self._special,
            "messages": [dict(turn) for turn in turns],
            "tools": None,
            "documents": None,
            "add_generation_prompt": answer_follows,
            "enable_thinking": False,
        }
        try:
            text = self._environment.text(self._compiled, values)
            if len(text) > MAX_ADDED + MAX_REPEATED * sum(_length(turn) for turn in turns):
                raise LimitError(f"adds more than {MAX_ADDED:,} characters to the conversation")
            return text
        except LimitError as error:
            raise HarnessError(f"the model's chat template {error}", "use another model") from error
        # A template is the model author's code and may raise anything.
        except Exception as error:
            raise HarnessError(
                f"the model's chat template refuses the conversation: {first_line(error)[:SHOWN]}"
            ) from error

    def _date(self, form: str) -> str:
        if len(form) > MAX_DATE_FORM_LENGTH or _WIDTH.search(form):
            raise jinja2.TemplateError("the form of a date is too long")
        return self._now.strftime(form)


def _length(turn: Mapping[str, Any]) -> int:
    content = turn["content"]
    return len(content) if isinstance(content, str) else sum(len(part["text"]) for part in content)


class _Generation(Extension):
    """`{% generation %}` marks an assistant's words for training. Here it only renders its content."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 declares it as a plain set)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    settings = {"ensure_ascii": ensure_ascii, "indent": indent, "separators": separators, "sort_keys": sort_keys}
    return bounded_json(value, **settings)
