"""What is escaped before it is shown, and what stays readable."""

import sys
import unicodedata

import pytest

from judgeharness.domain.escaping import safe, safe_data, safe_line
from tests.unfit import HOSTILE, READABLE, unfit

HARMLESS = {
    # Joiners, and signs of Arabic, Syriac and Kaithi that are seen.
    *"\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd",
}


def test_every_character_that_is_not_seen_is_escaped():
    """By the categories of Unicode: controls, formats, surrogates, separators of lines and paragraphs, and all tags."""
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        hidden = unicodedata.category(char) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"} or 0xE0000 <= code <= 0xE0FFF
        hidden |= char in "\u115f\u1160\u2800\u3164\uffa0"
        if hidden and char not in HARMLESS:
            assert safe_line(char).isascii(), hex(code)
            assert safe_line(char).isprintable(), hex(code)
        elif unicodedata.category(char) not in {"Mn", "Cn"}:
            assert safe_line(char) == char, hex(code)


def test_texts_in_any_script_stay_as_they_are():
    assert safe(READABLE) == safe_line(READABLE) == READABLE
    assert not unfit(READABLE)


def test_line_feeds_and_tabs_stay_where_lines_may():
    assert safe("a\n\tb\r") == "a\n\tb\\x0d"
    assert safe_line("a\n\tb") == "a\\x0a\\x09b"


@pytest.mark.parametrize(
    ("given", "shown"), [("\x1b", "\\x1b"), ("\u202e", "\\u202e"), ("\U000e0041", "\\U000e0041"), ("\udce9", "\\udce9")]
)
def test_escapes_are_those_of_python(given, shown):
    assert safe(given) == shown


def test_data_is_made_fit_in_texts_and_in_names():
    found = safe_data({HOSTILE: [HOSTILE, 1.5, None, (HOSTILE,)], 3: True})
    assert not unfit(str(found))
    assert found[3] is True
