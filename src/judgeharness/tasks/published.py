"""Printed figures of a task, such as a paper's table, which stand beside measured ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from judgeharness.domain.toml import Name, Table, Text

Figure = Annotated[float, Field(allow_inf_nan=False)]


class PublishedRow(Table):
    """One row of a table. figures: by the name of a metric. note: why a figure does not follow from the data."""

    strategy: Name | None = None
    transform: Name | None = None
    temperature: float | None = None
    figures: dict[Name, Figure]
    note: str = ""


class PublishedJudge(Table):
    """[[judges]]: `backends` are patterns of the backends that the rows are about ("*:llama3")."""

    name: Text
    backends: tuple[str, ...] = ()
    rows: tuple[PublishedRow, ...]

    def is_about(self, backend: str) -> bool:
        """Whether the rows are about this backend."""
        return any(fnmatchcase(backend, pattern) for pattern in self.backends)


class Published(Table):
    """A printed table: where it is from, and the split and number of items that it is over."""

    source: Text
    split: Name
    items: Annotated[int, Field(ge=1)]
    judges: tuple[PublishedJudge, ...]

    def rows(self) -> list[tuple[PublishedJudge, PublishedRow]]:
        """Every row with its judge, as printed."""
        return [(judge, row) for judge in self.judges for row in judge.rows]
