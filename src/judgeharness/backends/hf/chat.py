"""A tokenizer from transformers, with its chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from judgeharness.backends.chat import PINNED_DATE, LocalChat, control_texts


class TransformersChat(LocalChat):
    """The chat template and tokenizer that transformers loads."""

    def __init__(self, tokenizer: Any, today: date = PINNED_DATE) -> None:
        self._tokenizer = tokenizer
        template = getattr(tokenizer, "chat_template", None) or None
        super().__init__(template, getattr(tokenizer, "special_tokens_map", {}), today)

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        """Return the token ids of texts. Special tokens in the texts are recognized.

        Args:
            texts: The texts.
            add_special: Whether the tokenizer adds its own special tokens.
        """
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), add_special_tokens=add_special, return_attention_mask=False, verbose=False
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special tokens included."""
        return str(self._tokenizer.decode(list(tokens)))

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens without special tokens."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    @cached_property
    def control_tokens(self) -> Mapping[int, str]:
        """The tokens that mark structure: special tokens, and added tokens that the template writes."""
        tokenizer = self._tokenizer
        added = getattr(tokenizer, "added_tokens_decoder", {})
        special = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
        special |= {token: str(each) for token, each in added.items() if getattr(each, "special", False)}
        return control_texts(special, {token: str(each) for token, each in added.items()}, self.template)

    @property
    def unknown_token(self) -> int | None:
        """The token for text that is not in the vocabulary, if there is one."""
        found = getattr(self._tokenizer, "unk_token_id", None)
        return found if isinstance(found, int) else None

    @property
    def end(self) -> int | None:
        """The token that ends a turn, if the tokenizer names one."""
        found = getattr(self._tokenizer, "eos_token_id", None)
        return found if isinstance(found, int) else None
