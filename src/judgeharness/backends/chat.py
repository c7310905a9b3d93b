"""What stands between a conversation and a model: a chat template, and a tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from judgeharness.domain import Message, PromptGroup


class Chat(Protocol):
    """Turns conversations into the text and the tokens that a model reads."""

    @property
    def template(self) -> str | None:
        """The chat template's source; None for a model without one, which reads the bare text."""

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """The text that the model reads. Raises HarnessError where the template refuses the conversation."""

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts."""

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""


def rendered(chat: Chat, group: PromptGroup) -> list[str]:
    """The text of each prompt of a group. Raises as `Chat.render`."""
    return [chat.render(prompt.messages) for prompt in group.prompts]


def bare(messages: Sequence[Message]) -> str:
    """The text that a model without a template reads."""
    return "\n\n".join(message.content for message in messages)
