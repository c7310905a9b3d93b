"""`file:` predictions that were made elsewhere: read whole, checked whole, and scored whole or not at all.

Forms, by the file's ending:

- .json, as ChaosNLI has them: {uid: {"predicted_probabilities": [...], "predicted_label": "e"}}, or the same under the
  name of each of several models (https://github.com/easonnie/ChaosNLI, model predictions);
- .jsonl: {"uid": ..., "probabilities": [...]} a line;
- .csv: a column `uid` and a column for each label.

Probabilities stand in the task's label order, or in an object by label.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from judgeharness.backends.contract import BackendContext, Description
from judgeharness.content import file_digest
from judgeharness.domain import FloatArray, Item, Label
from judgeharness.errors import InputError, nearest
from judgeharness.options import Options

MAX_BYTES = 1 << 28
MOST_SHOWN = 20
SUM_TOLERANCE = 1e-3
FIELDS = ("predicted_probabilities", "probabilities")


class FileOptions(Options):
    """What `-o key=value` sets for `file:` predictions. model: which one of a file that has several."""

    model: str | None = None


class FilePredictions:
    """Distributions from a file, in place of a model."""

    def __init__(self, model: str, options: FileOptions, context: BackendContext) -> None:
        self._path = predictions_file(model)
        self._model = options.model

    def describe(self) -> Description:
        """The file by name and content."""
        return {"backend": "file", "file": self._path.name, "model": self._model, "sha256": file_digest(self._path)}

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Distributions (items, labels). Raises as `read_predictions`."""
        return read_predictions(self._path, self._model, items, labels)[0]


def predictions_file(name: str) -> Path:
    """The path of a file that may hold predictions. Raises InputError."""
    path = Path(name).expanduser()
    if not path.is_file():
        raise InputError(f"file:{name}: no such file")
    if path.suffix not in READERS:
        raise InputError(f"file:{name}: is none of {', '.join(READERS)}")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"file:{name}: larger than {MAX_BYTES:,} bytes")
    return path


def read_predictions(
    path: Path, model: str | None, items: Sequence[Item], labels: Sequence[Label]
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Distributions (items, labels), and the index of the label (items,) that the file calls predicted.

    model: which one of a file that has several. Where the file names no label, it is the first of the most probable
    ones. Raises PredictionsError with all that is wrong with the file.
    """
    found = _Found(labels)
    try:
        READERS[path.suffix](path.read_bytes().decode("utf-8-sig"), model, found)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8") from error
    except (ValueError, RecursionError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    found.require([item.uid for item in items], path)
    rows = np.array([found.rows[item.uid] for item in items])
    predicted = [found.predicted.get(item.uid, row.argmax()) for item, row in zip(items, rows, strict=True)]
    return rows, np.array(predicted, dtype=np.int64)


class PredictionsError(InputError):
    """All that is wrong with predictions, a line each."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: {len(problems):,} problems, so nothing was scored")
        self._problems = problems

    def lines(self) -> list[str]:
        """The first line says how many; the others which."""
        more = len(self._problems) - MOST_SHOWN
        rest = [f"and {more:,} more"] if more > 0 else []
        return [self.message, *self._problems[:MOST_SHOWN], *rest]


@dataclass
class _Found:
    labels: Sequence[Label]
    rows: dict[str, list[float]] = field(default_factory=dict)
    predicted: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def add(self, uid: Any, values: Any, predicted: Any = None) -> None:
        """Take a distribution, or note what is wrong with it."""
        name = str(uid)
        if name in self.seen:
            self.problems.append(f"{name}: is there twice")
            return
        self.seen.add(name)
        try:
            row = self._distribution(values)
            place = None if predicted is None else self._label(row, predicted)
        except ValueError as error:
            self.problems.append(f"{name}: {error}")
            return
        self.rows[name] = row
        if place is not None:
            self.predicted[name] = place

    def require(self, uids: Sequence[str], path: Path) -> None:
        """Raises PredictionsError where an item is missing, one is unknown, or anything was wrong."""
        missing = [f"{uid}: is missing" for uid in uids if uid not in self.seen]
        unknown = [f"{uid}: is no item of the task" for uid in self.seen - set(uids)]
        problems = [*self.problems, *missing, *sorted(unknown)]
        if problems:
            raise PredictionsError(path, problems)

    def _distribution(self, values: Any) -> list[float]:
        if isinstance(values, Mapping):
            values = self._by_label(values)
        if not isinstance(values, list) or len(values) != len(self.labels):
            raise ValueError(f"has no list of {len(self.labels)} probabilities")
        if any(isinstance(each, bool) or not isinstance(each, int | float) for each in values):
            raise ValueError("a probability is no number")
        try:
            row = [float(each) for each in values]
        except OverflowError as error:
            raise ValueError("a probability is not finite") from error
        if any(not math.isfinite(each) for each in row):
            raise ValueError("a probability is not finite")
        if min(row) < 0:
            raise ValueError(f"a probability is {min(row):g}, below 0")
        total = math.fsum(row)
        if abs(total - 1) > SUM_TOLERANCE:
            raise ValueError(f"probabilities sum to {total:.6g}, not to 1")
        return [each / total for each in row]

    def _by_label(self, values: Mapping[str, Any]) -> list[Any]:
        places = {word: place for place, label in enumerate(self.labels) for word in (label.name, *label.codes)}
        row: list[Any] = [None] * len(self.labels)
        for word, value in values.items():
            if word not in places:
                raise ValueError(f"'{word}' is no label ({nearest(word, [label.name for label in self.labels])})")
            row[places[word]] = value
        return row

    def _label(self, row: Sequence[float], predicted: Any) -> int:
        names = [(label.name, *label.codes) for label in self.labels]
        place = next(
            (place for place, words in enumerate(names) if predicted in words or str(predicted) in words), None
        )
        if place is None:
            raise ValueError(f"predicted_label {predicted!r} is no label")
        if row[place] < max(row) - SUM_TOLERANCE:
            raise ValueError(f"predicted_label {predicted!r} is not the most probable one")
        return place


def _read_json(text: str, model: str | None, found: _Found) -> None:
    def pairs(given: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in given)
        found.problems.extend(f"{key}: is there twice" for key, count in counts.items() if count > 1)
        return dict(given)

    whole = json.loads(text, object_pairs_hook=pairs)
    if not isinstance(whole, dict) or not whole:
        raise ValueError("not an object with a prediction for each uid")
    for uid, entry in _of_model(whole, model).items():
        found.add(uid, _values(entry), entry.get("predicted_label") if isinstance(entry, dict) else None)


def _of_model(whole: dict[str, Any], model: str | None) -> dict[str, Any]:
    first = next(iter(whole.values()))
    several = isinstance(first, dict) and not any(name in first for name in FIELDS) and all(
        isinstance(each, dict) for each in first.values()
    )  # fmt: skip
    if model is None and not several:
        return whole
    if model is None:
        raise ValueError(f"holds several models; name one with -o model=..., of {', '.join(sorted(whole))}")
    chosen = whole.get(model)
    if not isinstance(chosen, dict):
        raise ValueError(f"has no model '{model}': {nearest(model, sorted(whole))}")
    return chosen


def _read_lines(text: str, model: str | None, found: _Found) -> None:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        entry = json.loads(line)
        if not isinstance(entry, dict) or "uid" not in entry:
            raise ValueError(f"line {number} is no object with a uid")
        found.add(entry["uid"], _values(entry), entry.get("predicted_label"))


def _read_table(text: str, model: str | None, found: _Found) -> None:
    table = csv.DictReader(io.StringIO(text))
    names = [label.name for label in found.labels]
    absent = [name for name in ("uid", *names) if name not in (table.fieldnames or ())]
    if absent:
        raise ValueError(f"has no column {', '.join(absent)}")
    for row in table:
        found.add(row["uid"], [_number(row[name]) for name in names])


def _number(text: str | None) -> Any:
    try:
        return float(text or "")
    except ValueError:
        return text


def _values(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return next((entry[name] for name in FIELDS if name in entry), None)


READERS: Mapping[str, Callable[[str, str | None, _Found], None]] = {
    ".json": _read_json,
    ".jsonl": _read_lines,
    ".csv": _read_table,
}
