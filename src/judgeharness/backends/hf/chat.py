"""How a conversation becomes the text and the tokens that a model reads, and which token each answer letter is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from judgeharness.domain import LETTERS, Message
from judgeharness.errors import HarnessError

PROBE = Message("user", "Answer:")
PLAIN_ANSWER_PREFIX = " "


class ChatFormat:
    """A tokenizer's chat template. Models without one read the bare text and answer after a space.

    answer_prefix: what stands between prompt and letter; None to follow the template.
    """

    def __init__(self, tokenizer: Any, answer_prefix: str | None = None) -> None:
        self._tokenizer = tokenizer
        self._answer_prefix = answer_prefix
        self.has_template = bool(getattr(tokenizer, "chat_template", None))
        # A chat template writes the special tokens itself; adding them again would double the first.
        self._add_special_tokens = not self.has_template

    def render(self, messages: Sequence[Message], answer_follows: bool = True) -> str:
        """The text that the model reads. Raises HarnessError where the template refuses the conversation."""
        if not self.has_template:
            return "\n\n".join(message.content for message in messages)
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
        encoded = self._tokenizer(
            list(texts), add_special_tokens=self._add_special_tokens, return_attention_mask=False, verbose=False
        )
        return [list(ids) for ids in encoded["input_ids"]]

    def letter_tokens(self) -> dict[str, int]:
        """The token with which an answer of each letter begins, for those letters that have one of their own."""
        found: dict[str, int] = {}
        for letter in LETTERS:
            token = self._letter_token(letter)
            if token is not None and token not in found.values():
                found[letter] = token
        return found

    def require_letters(self, letters: dict[str, int], n_options: int) -> list[int]:
        """The tokens of the first letters. Raises HarnessError where one has none of its own."""
        missing = [letter for letter in LETTERS[:n_options] if letter not in letters]
        if missing:
            raise HarnessError(
                f"the tokenizer has no token of its own for the answer {', '.join(missing)}",
                "set what stands before the letter with -o answer_prefix=..., or use another model",
            )
        return [letters[letter] for letter in LETTERS[:n_options]]

    def _letter_token(self, letter: str) -> int | None:
        """The first token after the prompt in the answered conversation, as the template itself would write it.

        Where no template can, the letter is appended to the prompt. Some tokenizers then cut the prompt's own end
        otherwise (two line breaks before a letter); the last token is the letter's all the same.
        """
        prompt = self.render([PROBE])
        (start,) = self.encode([prompt])
        answered = self._answered(letter)
        if answered is not None:
            (whole,) = self.encode([answered])
            if whole[: len(start)] == start and self._reads(whole[len(start) : len(start) + 1], letter):
                return whole[len(start)]
        (whole,) = self.encode([prompt + self._prefix + letter])
        return whole[-1] if self._reads(whole[-1:], letter) else None

    def _reads(self, tokens: list[int], letter: str) -> bool:
        return bool(self._tokenizer.decode(tokens).strip() == letter)

    @property
    def _prefix(self) -> str:
        if self._answer_prefix is not None:
            return self._answer_prefix
        return "" if self.has_template else PLAIN_ANSWER_PREFIX

    def _answered(self, letter: str) -> str | None:
        """The conversation with the letter as its answer, where the template decides how that looks."""
        if self._answer_prefix is not None or not self.has_template:
            return None
        try:
            return self.render([PROBE, Message("assistant", letter)], answer_follows=False)
        except HarnessError:
            return None
