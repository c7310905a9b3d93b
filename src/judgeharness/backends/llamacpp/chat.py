"""The chat template and tokenizer of a GGUF file, used as transformers would use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cached_property

from judgeharness.backends.chat import PINNED_DATE, LocalChat, control_texts
from judgeharness.backends.llamacpp.library import LlamaModel


class GgufChat(LocalChat):
    """The chat template and tokenizer that llama.cpp loads."""

    def __init__(self, model: LlamaModel, today: date = PINNED_DATE) -> None:
        self._model = model
        super().__init__(model.template, model.special_tokens(), today)

    def tokenize(self, texts: Sequence[str], add_special: bool) -> list[list[int]]:
        """Return the token ids of texts. Special tokens in the texts are recognized.

        Args:
            texts: The texts.
            add_special: Whether to add the file's own special tokens.
        """
        return [self._model.tokenize(text, add_special=add_special) for text in texts]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, special tokens included."""
        return self._model.detokenize(tokens)

    @cached_property
    def control_tokens(self) -> Mapping[int, str]:
        """The tokens that mark structure: control tokens, and the file's added tokens that the template writes."""
        return control_texts(self._model.control_tokens(), self._model.user_tokens(), self.template)

    @cached_property
    def unknown_token(self) -> int | None:
        """The token for text that is not in the vocabulary, if there is one."""
        return self._model.unknown_token()
