"""Signals that end the program like Ctrl-C: finished work is kept, and unfinished files are removed."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from types import FrameType

from judgeharness.domain.errors import HarnessError

RESUMES = "the same command resumes"
IN_STORE = ("what was done is in the store", RESUMES)
_ENDING = ("SIGTERM", "SIGHUP")


class StoppedError(KeyboardInterrupt):
    """Raised at any point of the program, like the KeyboardInterrupt of Ctrl-C.

    Attributes:
        signal: The name of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.signal = signal.Signals(number).name


def listen() -> None:
    """Make SIGTERM and SIGHUP raise a StoppedError. A second signal ends the process at once.

    Signals that are ignored stay ignored, such as SIGHUP under nohup.
    """
    for number in _numbers(_ENDING):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def how(error: BaseException) -> str:
    """Return how the program was stopped, according to its error or the cause of that error."""
    found = next((each for each in (error, error.__cause__) if isinstance(each, StoppedError)), None)
    return "interrupted" if found is None else f"stopped by {found.signal}"


def stopped(error: KeyboardInterrupt, kept: tuple[str, str] = IN_STORE) -> HarnessError:
    """Return the error for stopped work. kept: what is kept, and what the same command does next."""
    return HarnessError(f"{how(error)}: {kept[0]}", kept[1])


def _numbers(names: Sequence[str]) -> list[int]:
    return [getattr(signal, name) for name in names if hasattr(signal, name)]


def _stop(number: int, frame: FrameType | None) -> None:
    for each in _numbers(("SIGINT", *_ENDING)):
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.SIG_DFL)
    raise StoppedError(number)
