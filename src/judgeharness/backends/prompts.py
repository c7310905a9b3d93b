"""Renders and checks prompt groups for a local model: no turn is lost, and no special token comes from data."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property

from judgeharness.backends.chat import LocalChat
from judgeharness.backends.contract import PromptError
from judgeharness.domain.nouns import Message, Prompt, PromptGroup

CUT = "\U0010fa7e\U0010fa7f"
"""Two private-use characters that are inserted to split the text of a special token. They never reach a tokenizer."""

COMPARED_GROUPS = 4_096


class PromptReader:
    """Renders and encodes prompts.

    If the words of a turn contain a special token, such as "<|im_end|>" in an item's text, it is split after its first
    character, so that the tokenizer reads it as plain text. This does not work for a mark that the template puts around
    turns but that is not a single token, as "[INST]" often is. Prompts with such a mark in their words are rejected.
    """

    def __init__(self, chat: LocalChat) -> None:
        self._chat = chat
        self._seen: dict[int, tuple[str, int]] = {}

    def texts(self, group: PromptGroup) -> list[str]:
        """Return the text of each prompt. Raises PromptError if it lacks words of a turn, and as `Chat.render` does."""
        return [self._rendered(prompt).replace(CUT, "") for prompt in group.prompts]

    def tokens(self, group: PromptGroup) -> list[list[int]]:
        """Return the token ids of each prompt.

        Raises PromptError if its words still produce a special token, if the model would read the same tokens for
        another item, and as `texts` does.
        """
        texts = [self._rendered(prompt) for prompt in group.prompts]
        found = self._chat.encode([text.replace(CUT, "") for text in texts])
        for place, (prompt, text) in enumerate(zip(group.prompts, texts, strict=True)):
            if CUT in text:
                found[place] = self._encoded_in_pieces(text, found[place])
            if self._chat.controls(found[place]) != self._chat.form(prompt.messages).controls:
                raise PromptError(
                    f"a prompt holds {self._example(prompt)} that the model's tokenizer reads as a special token"
                )
        self._compare(group.uid, texts[0], found[0])
        return found

    def _rendered(self, prompt: Prompt) -> str:
        """Return the text, with the special tokens in the words of its turns split."""
        if any(CUT in each.content for each in prompt.messages):
            raise PromptError("a prompt holds the characters U+10FA7E and U+10FA7F, which are reserved")
        messages = [Message(each.role, self._cut(each.content)) for each in prompt.messages]
        text = self._chat.render(messages)
        for message in messages:
            forged = sorted(mark for mark in self._chat.marks if mark in message.content)
            if forged:
                raise PromptError(f"a prompt holds {forged[0]!r}, with which the model's chat template marks turns")
            if message.content.strip() not in text:
                raise PromptError(
                    f"the model's chat template changes the words of the {message.role} turn, or leaves some out"
                )
        return text

    def _cut(self, content: str) -> str:
        return content if self._begins is None else self._begins.sub(rf"\g<1>{CUT}", content)

    def _encoded_in_pieces(self, text: str, whole: Sequence[int]) -> list[int]:
        pieces = self._chat.encode_pieces([piece for piece in text.split(CUT) if piece])
        # Some tokenizers put a space before each text, and therefore before each piece.
        return pieces if self._chat.decode(pieces) == self._chat.decode(whole) else list(whole)

    def _compare(self, uid: str, text: str, tokens: Sequence[int]) -> None:
        """Raise PromptError if another item's first prompt has the same tokens but a different text."""
        key, words = hash(tuple(tokens)), hash(_letters_of(text))
        if len(self._seen) < COMPARED_GROUPS:
            self._seen.setdefault(key, (uid, words))
        other, known = self._seen.get(key, (uid, words))
        if known != words:
            raise PromptError(
                f"the model reads the same for '{uid}' as for '{other}', whose text is another: "
                "its tokenizer or chat template lost what tells them apart"
            )

    @cached_property
    def _special(self) -> re.Pattern[str] | None:
        texts = sorted({text for text in self._chat.control_tokens.values() if len(text) > 1}, key=len, reverse=True)
        return re.compile("|".join(map(re.escape, texts))) if texts else None

    @cached_property
    def _begins(self) -> re.Pattern[str] | None:
        """Matches the first character of each special token, even if tokens overlap."""
        special = self._special
        return None if special is None else re.compile(f"(?=(?:{special.pattern}))(.)", re.DOTALL)

    def _example(self, prompt: Prompt) -> str:
        words = " ".join(message.content for message in prompt.messages)
        found = self._special.search(words) if self._special is not None else None
        return f"the text {found[0]!r}" if found else "a text"


def _letters_of(text: str) -> str:
    """Drop what a tokenizer may legitimately normalize: case, white space, forms of the same character."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())
