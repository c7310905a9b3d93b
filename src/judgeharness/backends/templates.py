"""Chat templates, rendered as transformers renders them: same sandbox, white space rules and functions.

There is one difference: what a template takes for today is a date that the caller sets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from judgeharness.errors import HarnessError


class ChatTemplate:
    """A compiled template.

    special: texts of special tokens by name, such as bos_token. Raises HarnessError for a template that is not valid.
    """

    def __init__(self, source: str, special: Mapping[str, str]) -> None:
        self._special = special
        # Prompts are plain text for a model; HTML escaping would change the stimulus.
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, autoescape=False, extensions=[_Generation, loopcontrols]
        )
        environment.filters["tojson"] = _to_json
        environment.globals["raise_exception"] = _raise
        environment.globals["strftime_now"] = lambda form: self._now.strftime(form)
        try:
            self._compiled = environment.from_string(source)
        except jinja2.TemplateSyntaxError as error:
            raise HarnessError(
                f"the model's chat template is not valid, line {error.lineno}: {error.message}"
            ) from error

    def render(self, turns: Sequence[Mapping[str, Any]], answer_follows: bool, today: date) -> str:
        """The text of a conversation, at midnight of that day. Raises HarnessError if the template refuses it."""
        self._now = datetime.combine(today, time())
        try:
            return self._compiled.render(
                **self._special,
                messages=[dict(turn) for turn in turns],
                tools=None,
                documents=None,
                add_generation_prompt=answer_follows,
                enable_thinking=False,
            )
        # A template is code of the model's author and may raise anything.
        except Exception as error:
            raise HarnessError(f"the model's chat template refuses the conversation: {error}") from error


class _Generation(Extension):
    """`{% generation %}` marks what an assistant wrote, for training. Here it is only its content."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 declares it as a plain set)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
