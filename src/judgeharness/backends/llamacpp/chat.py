"""The chat template and tokenizer of a GGUF file, read as transformers would read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from judgeharness.backends.chat import bare
from judgeharness.backends.llamacpp.library import LlamaModel
from judgeharness.domain import Message
from judgeharness.errors import HarnessError


class GgufChat:
    """Renders as `transformers.apply_chat_template` does: same sandbox, same white space rules, same functions."""

    def __init__(self, model: LlamaModel) -> None:
        self._model = model
        self._special = model.special_tokens()
        self.template = model.template
        self._compiled = None if self.template is None else _compiled(self.template)

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """The text that the model reads. Raises HarnessError where the template refuses the conversation."""
        if self._compiled is None:
            return bare(messages)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return self._compiled.render(
                **self._special,
                messages=turns,
                tools=None,
                documents=None,
                add_generation_prompt=answer_follows,
                enable_thinking=False,
            )
        # A template is code of the model's author and may raise anything.
        except Exception as error:
            raise HarnessError(f"the model's chat template refuses the conversation: {error}") from error

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts."""
        # A chat template writes the special tokens itself; adding them again would double the first.
        return [self._model.tokenize(text, add_special=self.template is None) for text in texts]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return self._model.detokenize(tokens)


class _Generation(Extension):
    """`{% generation %}` marks what an assistant wrote, for training. Here it is only its content."""

    tags = {"generation"}  # noqa: RUF012 (jinja2 declares it as a plain set)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


def _compiled(template: str) -> jinja2.Template:
    # Prompts are plain text for a model; HTML escaping would change the stimulus.
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, autoescape=False, extensions=[_Generation, loopcontrols]
    )
    environment.filters["tojson"] = _to_json
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
    try:
        return environment.from_string(template)
    except jinja2.TemplateSyntaxError as error:
        raise HarnessError(f"the model's chat template cannot be read, line {error.lineno}: {error.message}") from error


def _raise(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)


def _to_json(
    value: Any, ensure_ascii: bool = False, indent: Any = None, separators: Any = None, sort_keys: bool = False
) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)
