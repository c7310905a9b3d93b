"""A tokenizer of transformers, with its chat template."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from judgeharness.backends.chat import bare
from judgeharness.domain import Message
from judgeharness.errors import HarnessError


class TransformersChat:
    """Chat template and tokenizer as transformers has them."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self.template: str | None = getattr(tokenizer, "chat_template", None) or None

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """The text that the model reads. Raises HarnessError where the template refuses the conversation."""
        if self.template is None:
            return bare(messages)
        turns = [{"role": message.role, "content": message.content} for message in messages]
        try:
            return str(
                self._tokenizer.apply_chat_template(
                    turns, tokenize=False, add_generation_prompt=answer_follows, enable_thinking=False
                )
            )
        # A template is code of the model's author and may raise anything.
        except Exception as error:
            raise HarnessError(f"the model's chat template refuses the conversation: {error}") from error

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of rendered texts."""
        if not texts:
            return []
        # A chat template writes the special tokens itself; adding them again would double the first.
        encoded = self._tokenizer(
            list(texts), add_special_tokens=self.template is None, return_attention_mask=False, verbose=False
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens."""
        return str(self._tokenizer.decode(list(tokens)))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    @property
    def end(self) -> int | None:
        """The token that ends a turn, where the tokenizer names one."""
        found = getattr(self._tokenizer, "eos_token_id", None)
        return found if isinstance(found, int) else None
