"""Read generated answers: percentages for all options, or one option. Anything ambiguous is not read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

ROUNDING = 1.0
MAX_LINE_LENGTH = 200
_STATED = re.compile(
    r"^[\s\-*#>(\[\"']*([A-Z])[\s*\])\"']*(?:[.:=)\-\u2013\u2014][^%\n]*?|\s+)?(\d{1,3}(?:\.\d+)?)\s*(%?)[\s*.,;\])]*$"
)
_LETTER = re.compile(
    r"^[\s*(\[\"'#>]*(?:(?:the\s+)?(?:answer|option)(?:\s+is)?\s*:?\s*)?[*(\[\"']*([A-Z])(?![\w'])", re.IGNORECASE
)


def read_percentages(text: str, letters: Sequence[str]) -> tuple[float, ...] | None:
    """Return the percentages that a text states as probabilities, in the order of the letters.

    There must be one line for each letter, no letter may occur twice, and the percentages must sum to 100 within
    rounding (99 to 101). Other lines are skipped. Returns None if the text does not meet this.
    """
    stated: dict[str, float] = {}
    for line in text.splitlines():
        found = _STATED.match(line.strip()) if len(line) <= MAX_LINE_LENGTH else None
        if found is None:
            continue
        letter, number = found[1], float(found[2])
        if letter in stated or letter not in letters:
            return None
        stated[letter] = number
    total = sum(stated.values())
    if set(stated) != set(letters) or abs(total - 100) > ROUNDING:
        return None
    return tuple(stated[letter] / total for letter in letters)


def read_choice(text: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of the option that a text starts with: the letter itself, or the option's words.

    "A man is outside" starts with a word, not with the letter A.

    Args:
        text: The text.
        options: The options' texts, by letter.
    """
    said = _named(text.strip().lstrip("*\"'([ "), options)
    if said is not None:
        return said
    found = _LETTER.match(text)
    letter = found[1].upper() if found else ""
    if found is None or letter not in options:
        return None
    after = text[found.end() :]
    then = _named(after.lstrip(" .:)]*-"), options)
    goes_on = after[:1] == " " and after.strip()[:1].isalpha() and then is None
    return None if goes_on or then not in {None, letter} else letter


def _named(text: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of the option whose words a text starts with. If two fit, the longer one counts."""
    words = text.casefold()
    starts = {letter: shown.casefold() for letter, shown in options.items() if words.startswith(shown.casefold())}
    letter = max(starts, key=lambda each: len(starts[each]), default=None)
    return None if letter is None or words[len(starts[letter]) :][:1].isalnum() else letter
