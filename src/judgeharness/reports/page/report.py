"""What a page consists of: a report as data, and the sections that show it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from judgeharness.domain.nouns import Item, Prediction
from judgeharness.evaluation.again.replay import Answered
from judgeharness.metrics.measure import Measure
from judgeharness.reports.leaderboard import Board, Leaderboard
from judgeharness.store.runs import Run


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A run on the page.

    Attributes:
        run: The run.
        predictions: One for each of the subject's items, in their order.
        backend: The backend's description.
        versions: The versions of everything that it ran with.
        command: The command that makes it again; None if no evaluation made it.
        answered: Reads its prompts and their answers from the store, item by item; None if nothing was asked.
    """

    run: Run
    predictions: tuple[Prediction, ...]
    backend: Mapping[str, Any]
    versions: Mapping[str, Any]
    command: str | None
    answered: Callable[[], Iterator[Answered]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A set of items and the runs over them.

    Attributes:
        board: The leaderboard of these items.
        items: The items as the store has them.
        texts: The items with their texts, by uid.
        judges: The runs.
    """

    board: Board
    items: tuple[Item, ...]
    texts: Mapping[str, Item]
    judges: tuple[Judge, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a page shows.

    Attributes:
        title: The title.
        leaderboard: The leaderboard.
        measures: The leaderboard's metrics, by name.
        subjects: The sets of items; empty if only the leaderboard is shown.
        with_texts: Whether the page includes texts of data and models.
    """

    title: str
    leaderboard: Leaderboard
    measures: Mapping[str, Measure]
    subjects: tuple[Subject, ...] = ()
    with_texts: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    Attributes:
        title: The heading.
        body: HTML in which everything from outside is escaped, as `templates.html` does.
        data: Plain data for scripts, available as `JudgeHarness.data["NAME"]`.
        script: JavaScript that runs once the page is loaded.
        style: CSS.
        plots: Whether the script needs plotly.js.
    """

    title: str
    body: str
    data: Any = None
    script: str = ""
    style: str = ""
    plots: bool = False
