"""The keys of this process. They are checked before they are sent, and removed from all text that comes back.

A server or a library may repeat a key in any message. Remembered keys are removed from texts in every encoding: plain,
as base64 or hex, and with any of their characters escaped for URLs, JSON, Python or HTML.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

MIN_LENGTH = 8
"""Shorter keys, such as EMPTY for a server that needs none, may be ordinary words and are not removed."""
MAX_LENGTH = 4096
PART = 16
"""How many characters from the beginning of a longer key are enough for a match."""
REPLACEMENT = "[key]"
VARIABLES = ("OPENAI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "RAY_AUTH_TOKEN")
FILES = {"HF_TOKEN_PATH": "~/.cache/huggingface/token", "RAY_AUTH_TOKEN_PATH": "~/.ray/auth_token"}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_IN_ADDRESS = r"://([^/?#\s:@]*)(?::(?!\d{1,5}/)(\S*))?@"
_NAMED = r"(?is)(?:-o)?-*(?:[\w-]*[_-])?(?:key|token|password|secret)=(.+)"
_BASE64 = {"+": "(?:\\+|-|%2[bB])", "/": r"(?:/|\\/|_|%2[fF])"}
_BETWEEN = r"(?:[^!-~]|\\{1,8}(?:[nrtbf]|u00[01][0-9a-fA-F]|x[01][0-9a-fA-F])){0,8}"

_known: set[str] = set()
ErrorT = TypeVar("ErrorT", bound=BaseException)


def fault_of(key: str) -> str | None:
    """Return why a key cannot be sent, without quoting it, or None if it can."""
    if len(key) > MAX_LENGTH:
        return f"longer than {MAX_LENGTH:,} characters"
    if re.search(r"\s", key):
        return "a line break or a space inside"
    if not re.fullmatch(r"[!-~]*", key):
        return "a character that is not printable ASCII"
    return None


def remember(*keys: str) -> None:
    """Remove keys from all texts from now on."""
    found = {part for key in keys if key for part in re.split(r"[^!-~]+", key) if len(part) >= MIN_LENGTH}
    _known.update(part[:MAX_LENGTH] for part in found)


def remember_environment(environment: Mapping[str, str] = os.environ) -> None:
    """Remember the keys, tokens in files and proxy passwords that libraries take from the environment."""
    remember(*(environment.get(name, "") for name in VARIABLES))
    home = environment.get("HF_HOME")
    for name, usual in FILES.items():
        standard = f"{home}/token" if home and name == "HF_TOKEN_PATH" else usual
        remember(_content(environment.get(name) or standard))
    remember_words(value for name, value in environment.items() if name.lower() in _PROXIES)


def remember_words(words: Iterable[str]) -> None:
    """Remember passwords in addresses, and the values of keys, tokens and passwords, on a command line."""
    for word in words:
        if "://" in word:
            _remember_passwords(word)
        named = re.fullmatch(_NAMED, word) if "=" in word else None
        if named:
            remember(named[1])


def _remember_passwords(address: str) -> None:
    from urllib.parse import unquote

    for found in re.finditer(_IN_ADDRESS, address):
        password = found[2] or found[1]
        remember(password, unquote(password))


def scrub(text: str) -> str:
    """Return a text without any known key, or a long part from the beginning of one."""
    # Start with the longest, since one key may be the beginning of another.
    for key in sorted(_known, key=len, reverse=True) if len(text) >= MIN_LENGTH else ():
        text = text.replace(key, REPLACEMENT)
        for form in _forms(key):
            text = form.removed_from(text)
    return text


def scrubbed(value: Any) -> Any:
    """Return JSON data without any known key, in values and in names. Raises RecursionError."""
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, list):
        return [scrubbed(each) for each in value]
    return {scrub(key): scrubbed(each) for key, each in value.items()} if isinstance(value, dict) else value


def scrubbed_error(error: ErrorT) -> ErrorT:
    """Return a library's error after removing known keys from its message and from those of its causes."""
    each: BaseException | None = error
    while each is not None:
        each.args = tuple(scrub(part) if isinstance(part, str) else part for part in each.args)
        each = each.__cause__ or each.__context__
    return error


def _content(path: str) -> str:
    # Importing pathlib takes a twentieth of a program start. A pipe may be read only once, by the library.
    try:
        whole = os.path.expanduser(path)  # noqa: PTH111
        if not os.path.isfile(whole):  # noqa: PTH113
            return ""
        with open(whole, encoding="ascii", errors="replace") as file:  # noqa: PTH123
            return file.read(MAX_LENGTH)
    except (OSError, RuntimeError, ValueError):
        return ""


class _Form:
    """A key in one encoding.

    Attributes:
        start: Matches its beginning. Each branch begins with a literal, so that `re` can skip other text quickly.
        rest: Regular expressions for the following characters, one for each. They are compiled once a beginning
            matches.
    """

    def __init__(self, start: re.Pattern[str], rest: tuple[str, ...]) -> None:
        self.start = start
        self.rest = rest

    def removed_from(self, text: str) -> str:
        parts, done = [], 0
        while found := self.start.search(text, done):
            end, characters = found.end(), MIN_LENGTH
            for each in self.rest:
                following = _compiled(each).match(text, end)
                if following is None:
                    break
                end, characters = following.end(), characters + 1
            is_key = characters >= min(PART, MIN_LENGTH + len(self.rest))
            parts += [text[done : found.start()], REPLACEMENT if is_key else text[found.start() : found.start() + 1]]
            done = end if is_key else found.start() + 1
        return "".join([*parts, text[done:]])


_compiled = cache(re.compile)


@cache
def _forms(key: str) -> tuple[_Form, ...]:
    base64_forms = [_base64(key, before) for before in range(3)]
    forms = [_form([_character(char) for char in key], _BETWEEN)]
    forms.append(_form([_hex(ord(char)) for char in key], r"[\s:,-]{0,3}(?:0x)?"))
    forms += [_form([_BASE64.get(char, char) for char in text], _BETWEEN) for text in base64_forms]
    return tuple(forms)


def _form(characters: Sequence[str], between: str) -> _Form:
    start = re.compile(between.join(characters[:MIN_LENGTH]))
    return _Form(start, tuple(between + each for each in characters[MIN_LENGTH:]))


def _base64(key: str, before: int) -> str:
    """Return the part of a key's base64 that depends only on the key, if `before` bytes come before it."""
    import base64

    # Some bits of the characters at both ends belong to what surrounds the key.
    first, last = -(-8 * before // 6), 8 * (before + len(key)) // 6
    return base64.b64encode(b"\0" * before + key.encode("ascii")).decode("ascii")[first:last]


def _character(char: str) -> str:
    """Return a regular expression for one character in either case, plain or escaped in any way."""
    code, digits = ord(char), _hex(ord(char))
    as_it_is = [re.escape(each) for each in sorted({char.lower(), char.upper()})]
    named = [re.escape(name.rstrip(";")) for name in _entities().get(char, ())]
    after_backslash = "|".join([*as_it_is, f"(?:u00|x){digits}", f"{code:03o}"])
    after_ampersand = "|".join([f"#0{{0,6}}{code}", f"#[xX]0{{0,6}}{digits}", *named])
    escaped = [rf"\\\\{{0,7}}(?:{after_backslash})", f"&(?:amp;){{0,3}}(?:{after_ampersand});?"]
    # The plain form comes last, since a backslash may begin an escape.
    return f"(?:{'|'.join([*escaped, f'%(?:25){{0,3}}{digits}', f'={digits}', *as_it_is])})"


def _hex(code: int) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in f"{code:02x}")


@cache
def _entities() -> Mapping[str, list[str]]:
    # This loads thousands of names. Commands without a key should not wait for it.
    import html.entities

    found: dict[str, list[str]] = {}
    for name, char in html.entities.html5.items():
        if len(char) == 1 and char.isascii():
            found.setdefault(char, []).append(name)
    return found
