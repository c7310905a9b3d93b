"""What a written answer says: percentages for all options, or one option. Strict: what is not sure is not read."""

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
    """The percentages that a text states, in the order of the letters, as probabilities.

    One line for each letter and no letter twice; together 100, but for rounding (99 to 101). Other lines are passed
    over. None where the text does not say that.
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
    """The letter of the option that a text begins with: the letter, or the option's own words.

    options: their texts by letter. "A man is outside" begins with a word, not with the letter A.
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
    """The letter of the option with whose words a text begins; of two that do, the longer."""
    words = text.casefold()
    starts = {letter: shown.casefold() for letter, shown in options.items() if words.startswith(shown.casefold())}
    letter = max(starts, key=lambda each: len(starts[each]), default=None)
    return None if letter is None or words[len(starts[letter]) :][:1].isalnum() else letter
