"""Watchers, which are told about progress: the protocol, and one that is silent."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.tasks.fetch import Meter, silent_meter

if TYPE_CHECKING:
    from judgeharness.evaluation.plan import Step


class Watcher(Protocol):
    """Is told about progress. Its methods return at once and raise nothing."""

    def planned(self, steps: Sequence[Step]) -> None:
        """An evaluation has been planned, and nothing has been asked yet."""

    def started(self, name: str, total: int) -> None:
        """Work of `total` units begins, under a name."""

    def advanced(self, units: int) -> None:
        """`units` more units are done and stored."""

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """The current counts of all workers."""

    def waiting(self, items: int) -> None:
        """Nothing is left to ask here, but other processes still ask for this many items. Called repeatedly."""

    def finished(self) -> None:
        """The work is done, or was interrupted."""

    def note(self, text: str) -> None:
        """A line for the user, such as what an alias resolved to or what was left out."""

    def downloading(self, what: str) -> AbstractContextManager[Meter]:
        """A download begins. The meter that is returned is told how far it has got."""


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
        """Return a meter that shows nothing."""
        return silent_meter(what)
