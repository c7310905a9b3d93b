"""What is told about progress: a watcher, which does nothing by itself."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.tasks.fetch import Meter, silent_meter

if TYPE_CHECKING:
    from judgeharness.evaluation.plan import Step


class Watcher:
    """Is told about progress, and shows nothing. Methods of subclasses return at once and raise nothing."""

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
        return silent_meter(what)
