"""Errors that users are expected to meet: one line says what is wrong, and another what to do next."""

from __future__ import annotations

from collections.abc import Iterable

from judgeharness.domain.api_keys import scrub


class HarnessError(Exception):
    """A valid request failed. The exit code is 1.

    Attributes:
        message: What is wrong.
        hint: What to do next, if anything.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = scrub(message)
        self.hint = None if hint is None else scrub(hint)
        super().__init__(self.message)

    def lines(self) -> list[str]:
        """Return the lines that the console shows: the message and the hint. Subclasses with lists have more lines."""
        return [self.message] if self.hint is None else [self.message, self.hint]


class InputError(HarnessError):
    """Wrong usage or bad input. The exit code is 2."""

    exit_code = 2


class UnknownNameError(InputError):
    """A name that no component has."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        super().__init__(f"unknown {kind} '{name}'", nearest(name, names))


class MissingExtraError(HarnessError):
    """A component whose optional dependencies are not installed."""

    def __init__(self, what: str, requirement: str, cause: str) -> None:
        super().__init__(f"{what} needs packages that are not installed ({cause})", f"pip install '{requirement}'")


def nearest(name: str, known: list[str]) -> str:
    """Return a hint with the names closest to `name`, or with all names if none is close."""
    import difflib

    close = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(close) + "?"
    return "known: " + (", ".join(known) if known else "none")


def first_line(error: Exception) -> str:
    """Return the first line of another library's error, or the error's type if it has no message."""
    lines = scrub(str(error)).strip().splitlines()
    return lines[0] if lines else type(error).__name__
