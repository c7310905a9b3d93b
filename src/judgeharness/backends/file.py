"""The `file:` backend: predictions from elsewhere. A file is read, checked and scored completely or not at all.

Formats, by the file's suffix:

- .json, as ChaosNLI publishes them: {uid: {"predicted_probabilities": [...], "predicted_label": "e"}}, or an object
  with such an object for each of several models (https://github.com/easonnie/ChaosNLI, model predictions).
- .jsonl: one {"uid": ..., "probabilities": [...]} in each line.
- .csv: a column `uid` and a column for each label.

Probabilities are in the task's label order, or in an object by label. Contradictions are errors: a duplicate key,
column or label, two fields of probabilities that differ, a row with another number of cells than the header.
"""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from judgeharness.backends.contract import BackendContext, Description
from judgeharness.domain.errors import InputError, nearest
from judgeharness.domain.files import opened, read_bytes
from judgeharness.domain.hashes import file_digest
from judgeharness.domain.json_reader import JsonError, finite_number, json_lines, read_json, spellings, written
from judgeharness.domain.names import readable
from judgeharness.domain.nouns import FloatArray, Item, Label
from judgeharness.plugins.options import Options

MAX_BYTES = 1 << 28
MAX_SHOWN = 20
SUM_TOLERANCE = 1e-3
FIELDS = ("predicted_probabilities", "probabilities")


class FileOptions(Options):
    """What `-o key=value` sets for `file:` predictions.

    Attributes:
        model: The model to use, if the file has several.
    """

    model: str | None = None


class FilePredictions:
    """Distributions from a file instead of a model."""

    def __init__(self, model: str, options: FileOptions, context: BackendContext) -> None:
        self._path = predictions_file(model)
        self._model = options.model

    def describe(self) -> Description:
        """Return the file by name and content."""
        name, sha256 = readable(self._path.name), file_digest(self._path)
        return {"backend": "file", "file": name, "model": self._model, "sha256": sha256}

    def predict(self, items: Sequence[Item], labels: Sequence[Label]) -> FloatArray:
        """Return distributions (items, labels). Raises the errors of `read_predictions`."""
        return read_predictions(self._path, self._model, items, labels)[0]


def predictions_file(name: str) -> Path:
    """Return the path of a file that may hold predictions. Raises InputError."""
    path = Path(name).expanduser()
    if path.suffix not in READERS:
        raise InputError(f"file:{name}: is not one of {', '.join(READERS)}")
    with opened(path, MAX_BYTES):
        return path


def read_predictions(
    path: Path, model: str | None, items: Sequence[Item], labels: Sequence[Label]
) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """Read distributions and predicted labels from a file.

    If the file names no label for an item, the predicted label is the first of the most probable ones.

    Args:
        path: The file.
        model: The model to use, if the file has several.
        items: The items to predict.
        labels: The task's labels.

    Returns:
        The distributions (items, labels), and the indices of the predicted labels (items,).

    Raises:
        PredictionsError: With everything that is wrong with the predictions.
        SeveralModelsError: If `model` is None and the file has several models.
        InputError: If the file cannot be read.
    """
    found = _Found(labels, path)
    try:
        READERS[path.suffix](read_bytes(path, MAX_BYTES), model, found)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8") from error
    except (ValueError, csv.Error) as error:
        line = error.line if isinstance(error, JsonError) else None
        raise InputError(f"{path}{'' if line is None else f', line {line}'}: cannot be read: {error}") from error
    found.require([item.uid for item in items])
    rows = np.array([found.rows[item.uid] for item in items])
    predicted = [found.predicted.get(item.uid, row.argmax()) for item, row in zip(items, rows, strict=True)]
    return rows, np.array(predicted, dtype=np.int64)


class PredictionsError(InputError):
    """Everything that is wrong with predictions, one problem in each line."""

    def __init__(self, path: Path, problems: Sequence[str]) -> None:
        super().__init__(f"{path}: {len(problems):,} problems, so nothing was scored")
        self._problems = problems

    def lines(self) -> list[str]:
        """Return the number of problems in the first line, and the problems in the others."""
        more = len(self._problems) - MAX_SHOWN
        rest = [f"and {more:,} more"] if more > 0 else []
        return [self.message, *self._problems[:MAX_SHOWN], *rest]


class SeveralModelsError(InputError):
    """A file has several models, and none was chosen.

    Args:
        path: The file.
        models: The names of its models.
        option: The option that chooses a model in the current command.
    """

    def __init__(self, path: Path, models: Sequence[str], option: str = "-o model=NAME") -> None:
        super().__init__(f"{path}: holds several models; name one with {option}, of {', '.join(models)}")
        self.path = path
        self.models = models


@dataclass
class _Found:
    labels: Sequence[Label]
    path: Path
    rows: dict[str, list[float]] = field(default_factory=dict)
    predicted: dict[str, int] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def add(self, uid: Any, entry: Any, line: int | None = None) -> None:
        """Add a distribution, or record what is wrong with it.

        Args:
            uid: The item.
            entry: Probabilities, or an object with a field of probabilities.
            line: The line in the file, from 1, if it has lines.
        """
        name = written(uid)
        if name is None or not name.strip():
            self.refuse(f"uid {uid!r:.60}", "is blank, or neither a text nor a number", line)
            return
        if spellings(uid) & self.taken:
            self.refuse(name, "is there twice", line)
            return
        self.seen.add(name)
        self.taken |= spellings(uid)
        try:
            row = self._row(name, entry)
            predicted = entry.get("predicted_label") if isinstance(entry, Mapping) else None
            place = None if predicted is None else self._label(row, predicted)
        except ValueError as error:
            self.refuse(name, str(error), line)
            return
        self.rows[name] = row
        if place is not None:
            self.predicted[name] = place

    def refuse(self, name: str, problem: str, line: int | None) -> None:
        """Record a problem with an item."""
        self.problems.append(f"{name}: {problem}{'' if line is None else f' (line {line})'}")

    def require(self, uids: Sequence[str]) -> None:
        """Raise PredictionsError if an item is missing or unknown, or if anything was wrong."""
        missing = [f"{uid}: is missing" for uid in uids if uid not in self.seen]
        unknown = [f"{uid}: is not an item of the task" for uid in self.seen - set(uids)]
        problems = [*self.problems, *missing, *sorted(unknown)]
        if problems:
            raise PredictionsError(self.path, problems)

    def _row(self, name: str, entry: Any) -> list[float]:
        if not isinstance(entry, Mapping):
            return self._distribution(entry)
        if written(entry.get("uid", name)) != name:
            raise ValueError(f"its own uid is {entry['uid']!r:.60}")
        given = [entry[key] for key in FIELDS if entry.get(key) is not None] or [None]
        first, *others = map(self._distribution, given)
        if not all(np.allclose(first, each, rtol=0, atol=SUM_TOLERANCE) for each in others):
            raise ValueError(f"{' and '.join(FIELDS)} differ")
        return first

    def _distribution(self, values: Any) -> list[float]:
        if isinstance(values, Mapping):
            values = self._by_label(values)
        if not isinstance(values, list) or len(values) != len(self.labels):
            raise ValueError(f"has no list of {len(self.labels)} probabilities")
        other = [each for each in values if isinstance(each, bool) or not isinstance(each, int | float)]
        if other:
            raise ValueError(f"a probability is not a number: {other[0]!r:.60}")
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
        places = {word: place for place, label in enumerate(self.labels) for word in label.spellings}
        row: dict[int, Any] = {}
        for word, value in values.items():
            if word not in places:
                raise ValueError(f"'{word}' is not a label ({nearest(word, [label.name for label in self.labels])})")
            if places[word] in row:
                raise ValueError(f"names the label '{self.labels[places[word]].name}' twice")
            row[places[word]] = value
        return [row.get(place) for place in range(len(self.labels))]

    def _label(self, row: Sequence[float], predicted: Any) -> int:
        place = next((place for place, label in enumerate(self.labels) if str(predicted) in label.spellings), None)
        if place is None:
            raise ValueError(f"predicted_label {predicted!r} is not a label")
        if row[place] < max(row) - SUM_TOLERANCE:
            raise ValueError(f"predicted_label {predicted!r} is not the most probable one")
        return place


def _read_json(content: bytes, model: str | None, found: _Found) -> None:
    whole = read_json(content)
    if not isinstance(whole, dict) or not whole:
        raise ValueError("not an object with a prediction for each uid")
    for uid, entry in _of_model(whole, model, found.path).items():
        found.add(uid, entry)


def _of_model(whole: dict[str, Any], model: str | None, path: Path) -> dict[str, Any]:
    first = next(iter(whole.values()))
    of_models = isinstance(first, dict) and not any(name in first for name in FIELDS) and all(
        isinstance(each, dict | list) for each in first.values()
    )  # fmt: skip
    if model is None and not of_models:
        return whole
    if model is None and len(whole) > 1:
        raise SeveralModelsError(path, sorted(whole))
    chosen = first if model is None else whole.get(model)
    if not isinstance(chosen, dict):
        raise ValueError(f"has no model '{model}': {nearest(str(model), sorted(whole))}")
    return chosen


def _read_lines(content: bytes, model: str | None, found: _Found) -> None:
    for number, entry in json_lines(io.BytesIO(content)):
        if not isinstance(entry, dict) or "uid" not in entry:
            raise ValueError(f"line {number} is not an object with a uid")
        found.add(entry["uid"], entry, number)


def _read_table(content: bytes, model: str | None, found: _Found) -> None:
    table = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    header = next(table, [])
    names = [label.name for label in found.labels]
    absent = [name for name in ("uid", *names) if name not in header]
    if absent:
        raise ValueError(f"has no column {', '.join(absent)}")
    texts = {label.text: label.name for label in found.labels}
    twice = [name for name, count in Counter(texts.get(name, name) for name in header).items() if name and count > 1]
    if twice:
        raise ValueError(f"has the column {', '.join(twice)} twice")
    for cells in filter(None, table):
        row = dict(zip(header, cells, strict=False))
        if len(cells) != len(header):
            problem = f"has {len(cells)} cells where the header has {len(header)}"
            found.seen.add(row.get("uid", ""))
            found.refuse(row.get("uid", ""), problem, table.line_num)
            continue
        entry = {"probabilities": [_number(row[name]) for name in names]}
        found.add(row["uid"], entry | {"predicted_label": row.get("predicted_label") or None}, table.line_num)


def _number(text: str) -> Any:
    try:
        return finite_number(text)
    except ValueError:
        return text


READERS: Mapping[str, Callable[[bytes, str | None, _Found], None]] = {
    ".json": _read_json,
    ".jsonl": _read_lines,
    ".csv": _read_table,
}
