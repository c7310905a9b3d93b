"""Errors that a user is expected to meet: one line on what was wrong, one on what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from judgeharness.domain.api_keys import scrub


class HarnessError(Exception):
    """Something failed that was asked for rightly: exit code 1.

    `message` says what was wrong, `hint` what to do next.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = scrub(message)
        self.hint = None if hint is None else scrub(hint)
        super().__init__(self.message)

    def lines(self) -> list[str]:
        """The error as the console shows it: one line, or two where there is a hint; lists have more."""
        return [self.message] if self.hint is None else [self.message, self.hint]


class InputError(HarnessError):
    """Wrong usage or bad input: exit code 2."""

    exit_code = 2


class UnknownNameError(InputError):
    """A name that no component carries."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(f"unknown {kind} '{name}'", nearest(name, names))


class MissingExtraError(HarnessError):
    """A component whose optional dependencies are not installed."""

    def __init__(self, what: str, requirement: str, cause: str) -> None:
        super().__init__(f"{what} needs packages that are not installed ({cause})", f"pip install '{requirement}'")


def nearest(name: str, known: list[str]) -> str:
    """A hint with the names closest to `name`, or all of them where none is close."""
    import difflib

    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + (", ".join(known) if known else "none")


def first_line(error: Exception) -> str:
    """What an error of another library says first, or its kind where it says nothing."""
    lines = scrub(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
