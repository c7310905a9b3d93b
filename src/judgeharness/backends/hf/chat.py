"""A tokenizer of transformers, with its chat template."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from judgeharness.backends.chat import PINNED_DATE, LocalChat, control_texts


class TransformersChat(LocalChat):
    """Chat template and tokenizer as transformers has them."""

    def __init__(self, tokenizer: Any, today: date = PINNED_DATE) -> None:
        self._tokenizer = tokenizer
        template = getattr(tokenizer, "chat_template", None) or None
        super().__init__(template, getattr(tokenizer, "special_tokens_map", {}), today)

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        """Token ids of texts, special tokens in them read as such. add_special: whether the tokenizer adds its own."""
        if not texts:
            return []
        encoded = self._tokenizer(
            list(texts), add_special_tokens=add_special, return_attention_mask=False, verbose=False
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return str(self._tokenizer.decode(list(tokens)))

    def text(self, tokens: Sequence[int]) -> str:
        """The text of tokens, without special ones."""
        return str(self._tokenizer.decode(list(tokens), skip_special_tokens=True))

    @cached_property
    def control_tokens(self) -> Mapping[int, str]:
        """The tokens that tell the model where it is: special ones, and added ones that the template writes."""
        tokenizer = self._tokenizer
        added = getattr(tokenizer, "added_tokens_decoder", {})
        special = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
        special |= {token: str(each) for token, each in added.items() if getattr(each, "special", False)}
        return control_texts(special, {token: str(each) for token, each in added.items()}, self.template)

    @property
    def unknown_token(self) -> int | None:
        """The token that stands for what the vocabulary lacks."""
        found = getattr(self._tokenizer, "unk_token_id", None)
        return found if isinstance(found, int) else None

    @property
    def end(self) -> int | None:
        """The token that ends a turn, if the tokenizer names one."""
        found = getattr(self._tokenizer, "eos_token_id", None)
        return found if isinstance(found, int) else None
