"""What a page is made of: a report as data, and the sections that show it."""

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

    predictions: one for each of the subject's items, in their order. backend: what it says of itself. versions: of
    everything it ran with. command: what makes it again, where an evaluation made it. answered: its prompts and their
    answers, item by item, read from the store when it is called; None where nothing was asked.
    """

    run: Run
    predictions: tuple[Prediction, ...]
    backend: Mapping[str, Any]
    versions: Mapping[str, Any]
    command: str | None
    answered: Callable[[], Iterator[Answered]] | None


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Items, and the runs over them. items: as the store has them. texts: the same with their texts, by uid."""

    board: Board
    items: tuple[Item, ...]
    texts: Mapping[str, Item]
    judges: tuple[Judge, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """What a page shows. subjects: empty where there is a leaderboard and nothing else.

    measures: by name, those of the leaderboard. with_texts: whether texts of data and models are passed on.
    """

    title: str
    leaderboard: Leaderboard
    measures: Mapping[str, Measure]
    subjects: tuple[Subject, ...] = ()
    with_texts: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page.

    body: HTML, in which everything from outside is escaped (`page.html` does that). data: plain data for scripts,
    `JudgeHarness.data.NAME`. script: JavaScript, run once the page stands. style: CSS. plots: whether the script needs
    plotly.js.
    """

    title: str
    body: str
    data: Any = None
    script: str = ""
    style: str = ""
    plots: bool = False
