"""Whoever wants to know how work goes: the console, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.tasks.fetch import Meter, silent_meter

if TYPE_CHECKING:
    from judgeharness.evaluation.plan import Step


class Watcher(Protocol):
    """Is told how work goes. It returns at once and raises nothing."""

    def planned(self, steps: Sequence[Step]) -> None:
        """An evaluation has a plan, and nothing has been asked yet."""

    def started(self, name: str, total: int) -> None:
        """Plan of so many units begins, under a name."""

    def advanced(self, units: int) -> None:
        """That many units more are done and stored."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """What each of several workers has done so far."""

    def waiting(self, items: int) -> None:
        """Nothing is left to be asked here, and other processes ask for so many items. Told again and again."""

    def finished(self) -> None:
        """Plan is over, or broken off."""

    def note(self, text: str) -> None:
        """Something to tell the user: what an alias resolved to, what was left out."""

    def downloading(self, what: str) -> AbstractContextManager[Meter]:
        """A download begins; its meter is told how far it has come."""


class Silent:
    """A watcher that says nothing."""

    def planned(self, steps: Sequence[Step]) -> None:
        """Nothing."""

    def started(self, name: str, total: int) -> None:
        """Nothing."""

    def advanced(self, units: int) -> None:
        """Nothing."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """Nothing."""

    def waiting(self, items: int) -> None:
        """Nothing."""

    def finished(self) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def downloading(self, what: str) -> AbstractContextManager[Meter]:
        """A meter that nobody sees."""
        return silent_meter(what)
