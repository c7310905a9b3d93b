"""The chat template and tokenizer of a GGUF file, read as transformers would read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from judgeharness.backends.chat import PINNED_DATE, LocalChat, control_texts
from judgeharness.backends.llamacpp.library import LlamaModel


class GgufChat(LocalChat):
    """Chat template and tokenizer as llama.cpp has them."""

    def __init__(self, model: LlamaModel, today: date = PINNED_DATE) -> None:
        self._model = model
        super().__init__(model.template, model.special_tokens(), today)

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        """Token ids of texts, special tokens in them read as such. add_special: whether to add the file's own."""
        return [self._model.tokenize(text, add_special=add_special) for text in texts]

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of tokens, special ones included."""
        return self._model.detokenize(tokens)

    @cached_property
    def control_tokens(self) -> Mapping[int, str]:
        """The tokens that tell the model where it is: control tokens, and the file's own that the template writes."""
        return control_texts(self._model.control_tokens(), self._model.user_tokens(), self.template)

    @cached_property
    def unknown_token(self) -> int | None:
        """The token that stands for what the vocabulary lacks."""
        return self._model.unknown_token()
