"""A part of a task's items, for one of several processes or machines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from judgeharness.domain.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shard:
    """Shard `number` of `of`. Numbers start at 1."""

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Parse a text such as "2/4". Raises InputError."""
        found = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        if found is None or not 1 <= int(found[1]) <= int(found[2]):
            raise InputError(
                f"--shard {text}: is not a part of a whole", "write 1/4, 2/4, 3/4 and 4/4 for four processes"
            )
        return cls(int(found[1]), int(found[2]))

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    def part(self, items: Sequence[T]) -> tuple[T, ...]:
        """Return every `of`-th item. Long and short items are thus spread evenly, whatever their order."""
        return tuple(items[self.number - 1 :: self.of])
