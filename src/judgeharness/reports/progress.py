"""What the console shows during long work. All of it goes to stderr, because stdout is for results."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta

from rich.console import RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as ProgressTask
from rich.text import Text

from judgeharness.evaluation.executors.contract import WorkerRate
from judgeharness.evaluation.plan import Step
from judgeharness.evaluation.progress import Watcher
from judgeharness.reports import plan
from judgeharness.reports.text import Console, plain
from judgeharness.tasks.fetch import Meter, silent

SECONDS_BETWEEN_LINES = 30.0


class _Rate(TextColumn):
    """Prompts, or other units, per second."""

    def __init__(self, unit: str) -> None:
        super().__init__("")
        self._unit = unit

    def render(self, task: ProgressTask) -> Text:
        return Text("" if not task.speed else f"{task.speed:.1f} {self._unit}/s")


class _Lines:
    """Progress without a terminal, as in the log of a batch job: a line from time to time."""

    def __init__(self, console: Console, total: int, unit: str) -> None:
        self._console = console
        self._unit = unit
        self._total = total
        self._done = 0
        self._begun = self._last = time.monotonic()
        self.workers: Sequence[WorkerRate] = ()

    def advance(self, done: int) -> None:
        self._done += done
        now = time.monotonic()
        if now - self._last < SECONDS_BETWEEN_LINES or self._done >= self._total:
            return
        self._last = now
        rate = self._done / (now - self._begun)
        left = timedelta(seconds=round((self._total - self._done) / rate))
        self._console.print(f"{self._done:,} of {self._total:,} {self._unit}, {rate:.1f} a second, {left} left")
        if self.workers:
            self._console.print(plain("  " + _rates(self.workers)), soft_wrap=True)


def _rates(workers: Sequence[WorkerRate]) -> str:
    return ", ".join(f"{worker.name}: {worker.prompts:,} at {worker.rate:.1f}/s" for worker in workers)


class _Bars(Progress):
    """A bar with the work of several workers below it."""

    workers: Sequence[WorkerRate] = ()

    def get_renderables(self) -> Iterator[RenderableType]:
        yield from super().get_renderables()
        if self.workers:
            yield plain("  " + _rates(self.workers), "dim")


class ConsoleWatcher(Watcher):
    """Shows plan, progress and notes of an evaluation on stderr. `unit` is what progress is counted in."""

    def __init__(self, unit: str = "prompts") -> None:
        self._unit = unit
        self._console = Console(stderr=True)
        self._progress: _Bars | None = None
        self._task: TaskID | None = None
        self._lines: _Lines | None = None
        self._waiting = False

    def planned(self, steps: Sequence[Step]) -> None:
        """Print the plan."""
        table = plan.render(steps)
        if table is not None:
            self._console.print(table)

    def started(self, name: str, total: int) -> None:
        """Start a progress bar."""
        self._waiting = False
        if not self._console.is_terminal:
            self._console.print(plain(f"{name}: {total:,} {self._unit} to do"), soft_wrap=True)
            self._lines = _Lines(self._console, total, self._unit)
            return
        self._progress = _Bars(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(self._unit),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            speed_estimate_period=120,
        )
        self._progress.start()
        self._task = self._progress.add_task(plain(name).plain, total=total)

    def advanced(self, units: int) -> None:
        """Advance the bar."""
        if self._progress is not None and self._task is not None:
            self._progress.advance(self._task, units)
        if self._lines is not None:
            self._lines.advance(units)

    def spread(self, workers: Sequence[WorkerRate]) -> None:
        """Show what each worker has done, on a line below the bar."""
        if self._progress is not None:
            self._progress.workers = workers
        if self._lines is not None:
            self._lines.workers = workers

    def waiting(self, items: int) -> None:
        """Say once that another process is working on the rest."""
        if not self._waiting:
            self._waiting = True
            self.note(f"another process asks for {items:,} of these items: waiting for its answers")

    def finished(self) -> None:
        """Remove the bar."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None

    def note(self, text: str) -> None:
        """Print a line."""
        self._console.print(plain(text), style="dim", soft_wrap=True)

    @contextlib.contextmanager
    def downloading(self, what: str) -> Iterator[Meter]:
        """Show a progress bar for one download, or one line without a terminal."""
        if not self._console.is_terminal:
            self._console.print(plain(what))
            yield silent
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task(what, total=None)
            yield lambda done, total: progress.update(task, completed=done, total=total or None)
