"""Suites: TOML files of evaluations that belong together, such as those behind a table in a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field

from judgeharness.domain.errors import InputError, UnknownNameError
from judgeharness.domain.names import DEFAULT_METRIC
from judgeharness.domain.toml import FileTable, Name, Table, Text, read_toml
from judgeharness.evaluation.request import Request
from judgeharness.evaluation.trust import Proposal
from judgeharness.plugins import options
from judgeharness.tasks.explanations import HUMAN
from judgeharness.tasks.shipped import shipped

MAX_EVALUATIONS = 200
MAX_PEOPLE = 50
Value = str | bool | int | float


class EvaluationTable(Table):
    """A table [[evaluations]], with the options of `judgeharness eval`.

    Paths of task files and of files of explanations are relative to the suite's file.

    Attributes:
        backends: The backends; empty for those that the user names.
        options: Options of components, as `-o` would give them.
    """

    tasks: Annotated[tuple[Text, ...], Field(min_length=1)]
    backends: tuple[Text, ...] = ()
    strategies: tuple[Name, ...] = ()
    transforms: tuple[Name, ...] = ()
    temperature: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    split: Name | None = None
    limit: Annotated[int, Field(ge=1)] | None = None
    explanations: Text = HUMAN
    options: dict[str, Value] = Field(default_factory=dict)


class Suite(FileTable):
    """A suite file.

    Attributes:
        metrics: Metrics in addition to the default ones.
        sort: The metric to sort by, as in `judgeharness leaderboard`.
        people: Numbers of annotators, as in `judgeharness leaderboard`.
    """

    name: Name
    title: Text
    about: str = ""
    metrics: tuple[Name, ...] = ()
    sort: Name = DEFAULT_METRIC
    people: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(max_length=MAX_PEOPLE)] = ()
    evaluations: Annotated[tuple[EvaluationTable, ...], Field(min_length=1, max_length=MAX_EVALUATIONS)]

    def requests(
        self,
        backends: Sequence[str],
        strategies: Sequence[str] = (),
        values: Mapping[str, str] | None = None,
        limit: int | None = None,
        arguments: Sequence[str] = (),
    ) -> list[Proposal]:
        """Return the suite's requests, in order.

        Args:
            backends: The backends of evaluations that name none.
            strategies: If not empty, only these of the suite's strategies are used.
            values: Options of components, for evaluations that name no backends.
            limit: If given, replaces the suite's limit.
            arguments: The command line, for the record.

        Raises:
            InputError: Backends are missing or not needed, or the suite does not have a strategy.
        """
        self._require_use(backends, strategies)
        found = []
        for table in self.evaluations:
            own = {name: options.word(value) for name, value in table.options.items()}
            chosen = tuple(name for name in table.strategies if not strategies or name in strategies)
            if table.strategies and not chosen:
                continue
            given = {} if table.backends else values or {}
            request = Request(
                tasks=tuple(self._beside(name, ".toml") for name in table.tasks),
                backends=table.backends or tuple(backends),
                strategies=chosen,
                transforms=table.transforms,
                metrics=self.metrics,
                temperature=table.temperature,
                values={**own, **given},
                limit=limit or table.limit,
                split=table.split,
                explanations=self._beside(table.explanations, ".jsonl"),
                arguments=tuple(arguments),
            )
            found.append(Proposal(request, f"suite {self.name}", given, backends))
        return found

    def _beside(self, name: str, suffix: str) -> str:
        return str(self.folder / name) if name.endswith(suffix) else name

    def _require_use(self, backends: Sequence[str], strategies: Sequence[str]) -> None:
        is_open = any(not table.backends for table in self.evaluations)
        if is_open and not backends:
            raise InputError(f"suite {self.name} needs to know which models", "name them with --backend SCHEME:MODEL")
        if backends and not is_open:
            raise InputError(f"suite {self.name} names all its backends itself: leave --backend out")
        known = {name for table in self.evaluations for name in table.strategies}
        for name in strategies:
            if name not in known:
                raise UnknownNameError(f"strategy of suite {self.name}", name, known)


def read_suite(path: Path) -> Suite:
    """Read a suite from a TOML file. Raises InputError, which names the file, the key and the fault."""
    return read_toml(path, Suite, "suite")


def shipped_suites() -> dict[str, Path]:
    """Return the paths of the suites that ship with judgeharness, by name."""
    return {path.stem: path for path in sorted((shipped() / "suites").glob("*.toml"))}


def shipped_suite(name: str) -> Suite:
    """Return a suite that ships with judgeharness. Raises UnknownNameError."""
    paths = shipped_suites()
    if name not in paths:
        raise UnknownNameError("suite", name, paths)
    return read_suite(paths[name])
