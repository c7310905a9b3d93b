"""Read JSON lines files that are not trusted. Sizes are limited, and errors name the file and the line."""

from __future__ import annotations

import contextlib
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from judgeharness.domain.errors import InputError
from judgeharness.domain.files import MAX_DATA_BYTES, opened
from judgeharness.domain.json_reader import MAX_LINE_BYTES, JsonError, finite_number, json_lines, spellings, written
from judgeharness.domain.nouns import Label


@dataclass(frozen=True, slots=True)
class Record:
    """A line's JSON object, with its position for error messages."""

    values: dict[str, Any]
    file: Path
    line: int

    def fault(self, what: str) -> InputError:
        """Return an error that names this record's file and line."""
        return InputError(f"{self.file}, line {self.line}: {what}")

    def get(self, path: str) -> Any:
        """Return the value at a dotted path. Raises InputError if it is missing."""
        value: Any = self.values
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                raise self.fault(f"no field '{path}'")
            value = value[part]
        return value

    def find(self, path: str) -> Any | None:
        """Return the value at a dotted path, or None."""
        value: Any = self.values
        for part in path.split("."):
            if not isinstance(value, dict) or part not in value:
                return None
            value = value[part]
        return value

    def text(self, path: str) -> str:
        """Return the value at a dotted path as text. A number becomes text; anything else raises InputError."""
        text = written(self.get(path))
        if text is None:
            raise self.fault(f"field '{path}' is {_named(self.get(path))}, not text")
        return self.sound(text, f"field '{path}'")

    def uid(self, path: str) -> str:
        """Return the text at a dotted path that identifies this record. Raises InputError if it is missing or blank."""
        text = self.text(path)
        if not text.strip():
            raise self.fault(f"field '{path}' is blank, which tells no item apart")
        return text

    def claim(self, path: str, taken: set[str]) -> None:
        """Add a record's uid to `taken`.

        Raises InputError if it is already there, also in another spelling such as 1.0 for 1.
        """
        uid, names = self.uid(path), spellings(self.get(path))
        if before := names & taken:
            alike = "" if uid in before else f" as '{before.pop()}'"
            raise self.fault(f"the uid '{uid}' was there before{alike}")
        taken |= names

    def sound(self, text: str, what: str) -> str:
        """Return a text if it is valid Unicode. Raises InputError if it is not, which JSON does not rule out."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise self.fault(f"{what} holds half a surrogate pair, which is not text") from error
        return text

    def numbers(self, path: str | Mapping[str, str], labels: Sequence[Label]) -> tuple[float, ...]:
        """Return non-negative numbers in label order. Numbers may be written as texts.

        Args:
            path: A path to a list or to an object by label, or a path for each label.
            labels: The labels.

        Raises:
            InputError: The value is missing or of another kind.
        """
        if not isinstance(path, str):
            value: Any = self._by_label("votes", {label: self.get(each) for label, each in path.items()}, labels)
            path = ", ".join(path.values())
        else:
            value = self.get(path)
        if isinstance(value, dict):
            value = self._by_label(path, value, labels)
        if not isinstance(value, list) or len(value) != len(labels):
            raise self.fault(f"field '{path}' is {_named(value)}, not a list of {len(labels)} numbers")
        return tuple(self._number(path, each) for each in value)

    def _number(self, path: str, value: Any) -> float:
        try:
            number = finite_number(value)
        except ValueError:
            number = -1
        if number < 0:
            raise self.fault(f"field '{path}' holds {repr(value)[:60]}, not a number of 0 or more")
        return number

    def label(self, value: Any, labels: Sequence[Label]) -> int:
        """Return the index of the label that a value names. Raises InputError."""
        word = str(value) if isinstance(value, bool) else written(value)
        for index, label in enumerate(labels):
            if word in label.spellings:
                return index
        raise self.fault(f"{_named(value)} is not one of the labels {', '.join(label.name for label in labels)}")

    def label_counts(self, path: str | Sequence[str], labels: Sequence[Label]) -> tuple[float, ...]:
        """Return how often a value names each label. The value is one label, a list of labels, or counts.

        Args:
            path: The path of the value, or several paths to one label each. Blank labels are skipped, for annotators
                who gave none.
            labels: The labels.

        Raises:
            InputError: The value is missing or names something else.
        """
        value = self.get(path) if isinstance(path, str) else [self.get(each) for each in path]
        if isinstance(value, dict) and isinstance(path, str):
            return self.numbers(path, labels)
        named = value if isinstance(value, list) else [value]
        counts = [0.0] * len(labels)
        for word in named:
            if word not in ("", None):
                counts[self.label(word, labels)] += 1
        return tuple(counts)

    def _by_label(self, path: str, value: dict[str, Any], labels: Sequence[Label]) -> list[Any]:
        counts: dict[int, Any] = {}
        for word, count in value.items():
            index = self.label(word, labels)
            if index in counts:
                raise self.fault(f"field '{path}' names the label '{labels[index].name}' twice")
            counts[index] = 0 if count is None else count
        return [counts.get(index, 0) for index in range(len(labels))]


def read_records(path: Path, member: str | None = None) -> Iterator[Record]:
    """Yield the records of a JSON lines file, or of a member of a zip archive. Blank lines are skipped.

    Raises InputError.
    """
    try:
        with _opened(path, member) as stream:
            for number, value in json_lines(stream, MAX_LINE_BYTES):
                if not isinstance(value, dict):
                    raise InputError(f"{path}, line {number}: {_named(value)}, not an object")
                yield Record(value, path, number)
    except JsonError as error:
        raise InputError(f"{path}, line {error.line}: {error}") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise InputError(f"{path}: '{member}' cannot be read from this archive: {error}") from error


@contextlib.contextmanager
def _opened(path: Path, member: str | None) -> Iterator[IO[bytes]]:
    with opened(path, what="data file") as stream:
        if member is None:
            yield stream
            return
        with zipfile.ZipFile(stream) as archive, archive.open(member) as inner:
            # This also limits how much is unpacked.
            if archive.getinfo(member).file_size > MAX_DATA_BYTES:
                raise InputError(f"{path}: '{member}' is larger than {MAX_DATA_BYTES:,} bytes")
            yield inner


def _named(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=True, default=str)
    return text if len(text) <= 60 else text[:57] + "..."
