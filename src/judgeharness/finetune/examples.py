"""Examples with hard labels for the first stage, in MNLI's own format or in that of the hub."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from judgeharness.domain.api_keys import scrubbed_error
from judgeharness.domain.errors import HarnessError, InputError, MissingExtraError, first_line
from judgeharness.domain.files import is_file
from judgeharness.domain.json_reader import read_json
from judgeharness.domain.nouns import Label
from judgeharness.tasks.records import Record, read_records

MNLI = "mnli"
HUB_MNLI = "nyu-mll/multi_nli/data/train-00000-of-00001.parquet"
NAMES = (("sentence1", "sentence2", "gold_label"), ("premise", "hypothesis", "label"))
UNDECIDED = ("-", -1)

Examples = tuple[list[tuple[str, ...]], list[int]]


def examples_file(given: str) -> Path:
    """Return the file that `--stage1` names: a path, or `mnli` or owner/dataset/path.parquet, which are downloaded.

    Raises:
        InputError: The file does not exist.
        HarnessError: The hub does not provide it.
    """
    path = Path(given).expanduser()
    if is_file(path):
        return path
    owner, _, rest = (HUB_MNLI if given == MNLI else given).partition("/")
    name, _, file = rest.partition("/")
    if not file or given.startswith((".", "/", "~")):
        raise InputError(f"--stage1 {given}: no such file", "a JSON-lines file as multinli_1.0_train.jsonl, or 'mnli'")
    return _of_hub(f"{owner}/{name}", file)


def _of_hub(dataset: str, file: str) -> Path:
    import huggingface_hub

    from judgeharness.backends.hub_client import bound_hub

    bound_hub()
    try:
        return Path(huggingface_hub.hf_hub_download(dataset, file, repo_type="dataset"))
    # The client and its HTTP library may raise anything.
    except Exception as error:
        raise HarnessError(
            f"{file} of the dataset {dataset} cannot be fetched: {first_line(error)}",
            "check the connection, or name a file of your own: --stage1 multinli_1.0_train.jsonl",
        ) from scrubbed_error(error)


def read_examples(path: Path, labels: Sequence[Label]) -> Examples:
    """Return two texts of each example, and the index of its label.

    Examples without a majority ("-" or -1) are skipped.

    Args:
        path: A file of JSON lines or parquet, with sentence1, sentence2 and gold_label, or premise, hypothesis and
            label.
        labels: The task's labels.

    Raises:
        InputError: The file is faulty or holds no example.
    """
    texts: list[tuple[str, ...]] = []
    chosen: list[int] = []
    for record in _parquet(path) if path.suffix == ".parquet" else read_records(path):
        first, second, label = _names(record)
        if record.get(label) in UNDECIDED:
            continue
        texts.append((record.text(first), record.text(second)))
        chosen.append(record.label(record.get(label), labels))
    if not texts:
        raise InputError(f"--stage1 {path}: holds no example")
    return texts, chosen


def _names(record: Record) -> tuple[str, str, str]:
    for names in NAMES:
        if all(name in record.values for name in names):
            return names
    raise record.fault("has neither sentence1, sentence2 and gold_label nor premise, hypothesis and label")


def _parquet(path: Path) -> Iterator[Record]:
    """Yield the rows of a parquet file. Labels that are numbers are replaced by their names in the file's metadata."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("reading parquet", "judgeharness[finetune]", str(error)) from error
    try:
        file = pyarrow.parquet.ParquetFile(path)
        columns = [name for names in NAMES for name in names if name in file.schema_arrow.names]
        names = _label_names(file.schema_arrow.metadata or {})
        number = 0
        for batch in file.iter_batches(columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield Record(_named(row, names), path, number)
    except (pyarrow.ArrowException, OSError) as error:
        raise InputError(f"--stage1 {path}: cannot be read: {first_line(error)}") from error


def _label_names(metadata: dict[bytes, bytes]) -> list[str] | None:
    """Return the names of the label column that the hub's tools write into a file, or None if there are none."""
    try:
        features = read_json(metadata[b"huggingface"])["info"]["features"]
        names = features["label"]["names"]
    except (KeyError, TypeError, ValueError):
        return None
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else None


def _named(row: dict[str, Any], names: list[str] | None) -> dict[str, Any]:
    label = row.get("label")
    if names is None or not isinstance(label, int) or not 0 <= label < len(names):
        return row
    return {**row, "label": names[label]}
