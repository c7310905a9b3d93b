"""Published results of a task, such as a paper's table, which are shown beside measured ones."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated

from pydantic import Field

from judgeharness.domain.toml import Name, Table, Text

Figure = Annotated[float, Field(allow_inf_nan=False)]


class PublishedRow(Table):
    """One row of a published table. `figures` are by metric. `note` says why a value does not follow from the data."""

    strategy: Name | None = None
    transform: Name | None = None
    temperature: float | None = None
    figures: dict[Name, Figure]
    note: str = ""


class PublishedJudge(Table):
    """A table [[judges]]. `backends` are patterns for the backends that the rows are about, such as "*:llama3"."""

    name: Text
    backends: tuple[str, ...] = ()
    rows: tuple[PublishedRow, ...]

    def is_about(self, backend: str) -> bool:
        """Return whether the rows are about this backend."""
        return any(fnmatchcase(backend, pattern) for pattern in self.backends)


class Published(Table):
    """A published table: its source, and the split and the number of items that it covers."""

    source: Text
    split: Name
    items: Annotated[int, Field(ge=1)]
    judges: tuple[PublishedJudge, ...]

    def rows(self) -> list[tuple[PublishedJudge, PublishedRow]]:
        """Return every row with its judge, in the published order."""
        return [(judge, row) for judge in self.judges for row in judge.rows]
