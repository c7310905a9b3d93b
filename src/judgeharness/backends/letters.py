"""Which token each answer letter is, and what is read of it.

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
    """logits: (prompts, letters), raw. mass: (prompts,), the probability that the letters hold together."""

    logits: FloatArray
    mass: FloatArray


def letter_tokens(chat: Chat, answer_prefix: str | None = None) -> dict[str, int]:
    """The token with which an answer of each letter begins, for those letters that have one of their own.

    answer_prefix: what stands between prompt and letter; None to follow the template.
    """
    found: dict[str, int] = {}
    for letter in LETTERS:
        token = _letter_token(chat, letter, answer_prefix)
        if token is not None and token not in found.values():
            found[letter] = token
    return found


def require_letters(letters: Mapping[str, int], n_options: int) -> list[int]:
    """The tokens of the first letters. Raises HarnessError where one has none of its own."""
    missing = [letter for letter in LETTERS[:n_options] if letter not in letters]
    if missing:
        raise HarnessError(
            f"the tokenizer has no token of its own for the answer {', '.join(missing)}",
            "set what stands before the letter with -o answer_prefix=..., or use another model",
        )
    return [letters[letter] for letter in LETTERS[:n_options]]


def _letter_token(chat: Chat, letter: str, answer_prefix: str | None) -> int | None:
    """The first token after the prompt in the answered conversation, as the template itself would write it.

    Where no template can, the letter is appended to the prompt. Some tokenizers then cut the prompt's own end
    otherwise (two line breaks before a letter); the last token is the letter's all the same.
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
    """The conversation with the letter as its answer, where the template decides how that looks."""
    if chat.template is None:
        return None
    try:
        return chat.render([PROBE, Message("assistant", letter)], answer_follows=False)
    except HarnessError:
        return None
