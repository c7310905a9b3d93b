"""Finds the token of each answer letter, and holds the scores read from them.

The token depends on the template: `A` and ` A` are different tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from judgeharness.backends.chat import PROBE, Chat
from judgeharness.domain.errors import HarnessError
from judgeharness.domain.nouns import LETTERS, FloatArray, Message

PLAIN_ANSWER_PREFIX = " "


@dataclass(frozen=True, slots=True)
class LetterScores:
    """The scores of the answer letters after some prompts.

    Attributes:
        logits: The raw logits (prompts, letters).
        mass: The total probability of the letters (prompts,).
    """

    logits: FloatArray
    mass: FloatArray


def letter_tokens(chat: Chat, answer_prefix: str | None = None) -> dict[str, int]:
    """Return the first token of an answer with each letter, for the letters that have a token of their own.

    Args:
        chat: The chat template and tokenizer.
        answer_prefix: What comes between the prompt and the letter; None to follow the template.
    """
    found: dict[str, int] = {}
    for letter in LETTERS:
        token = _letter_token(chat, letter, answer_prefix)
        if token is not None and token not in found.values():
            found[letter] = token
    return found


def require_letters(letters: Mapping[str, int], n_options: int) -> list[int]:
    """Return the tokens of the first letters. Raises HarnessError if one of them has no token of its own."""
    missing = [letter for letter in LETTERS[:n_options] if letter not in letters]
    if missing:
        raise HarnessError(
            f"the tokenizer has no token of its own for the answer {', '.join(missing)}",
            "set what stands before the letter with -o answer_prefix=..., or use another model",
        )
    return [letters[letter] for letter in LETTERS[:n_options]]


def _letter_token(chat: Chat, letter: str, answer_prefix: str | None) -> int | None:
    """Return the first token after the prompt in an answered conversation, as the template itself would write it.

    If no template can do this, the letter is appended to the prompt. Some tokenizers then split the prompt's end
    differently (two line breaks before a letter), but the last token is still the letter's.
    """
    prompt = chat.render([PROBE])
    (start,) = chat.encode([prompt])
    answered = _answered(chat, letter) if answer_prefix is None else None
    if answered is not None:
        (whole,) = chat.encode([answered])
        if whole[: len(start)] == start and _reads(chat, whole[len(start) : len(start) + 1], letter):
            return whole[len(start)]
    (whole,) = chat.encode([prompt + _prefix(chat, answer_prefix) + letter])
    return whole[-1] if _reads(chat, whole[-1:], letter) else None


def _reads(chat: Chat, tokens: Sequence[int], letter: str) -> bool:
    return chat.decode(tokens).strip() == letter


def _prefix(chat: Chat, answer_prefix: str | None) -> str:
    if answer_prefix is not None:
        return answer_prefix
    return PLAIN_ANSWER_PREFIX if chat.template is None else ""


def _answered(chat: Chat, letter: str) -> str | None:
    """Return the conversation with the letter as its answer, or None if no template renders it."""
    if chat.template is None:
        return None
    try:
        return chat.render([PROBE, Message("assistant", letter)], answer_follows=False)
    except HarnessError:
        return None
