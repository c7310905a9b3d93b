"""Datasets that are fetched from their official address: what they hold, and where their files are found."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from judgeharness.domain.errors import HarnessError, UnknownNameError
from judgeharness.domain.files import MAX_DATA_BYTES, is_file, opened
from judgeharness.domain.hashes import file_digest
from judgeharness.tasks.shipped import shipped

CACHE_VARIABLE = "XDG_CACHE_HOME"
DATA_DIR_VARIABLE = "JUDGEHARNESS_DATA_DIR"
NO_HOME = Path("/nonexistent")
GET_IT = "delete it and run 'judgeharness data fetch', or point --data-dir to unchanged files"


class DataFile(BaseModel):
    """A file of a dataset with its size in bytes and its sha256 in hex."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    bytes: int
    sha256: str


class Dataset(BaseModel):
    """A dataset and its official address.

    url serves the file itself, or, where `archive_folder` is set, a zip archive with the files in that folder.
    max_download: bytes beyond which a download is broken off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    url: str
    archive_folder: str | None = None
    max_download: int
    licence: str
    homepage: str
    citation: str
    files: tuple[DataFile, ...]

    def file(self, name: str) -> DataFile:
        """The file of that name. Raises UnknownNameError."""
        for file in self.files:
            if file.name == name:
                return file
        raise UnknownNameError(f"file of dataset {self.name}", name, [file.name for file in self.files])


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Where data is looked for, in this order: the user's own folder, then the cache that downloads go to.

    Either holds a folder for each dataset.
    """

    own: Path | None
    cache: Path

    @classmethod
    def from_environment(cls, data_dir: str | None = None) -> DataFolders:
        """`--data-dir` or JUDGEHARNESS_DATA_DIR, and the user's cache."""
        chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or None
        return cls(Path(chosen).expanduser() if chosen else None, cache_folder() / "data")

    def find(self, dataset: Dataset, file: DataFile) -> Path | None:
        """The file's path where it exists, or None."""
        for folder in (self.own, self.cache):
            if folder is not None and is_file(path := folder / dataset.name / file.name):
                return path
        return None


def cache_folder() -> Path:
    """The user's cache folder for judgeharness: data, converted models."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("judgeharness", appauthor=False)).expanduser()
    except RuntimeError:
        # The user has no home. What needs no cache goes without.
        return NO_HOME / "judgeharness"


@cache
def known_datasets() -> dict[str, Dataset]:
    """The datasets that judgeharness can fetch, by name."""
    found = [
        Dataset.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted((shipped() / "datasets").glob("*.toml"))
    ]
    return {dataset.name: dataset for dataset in found}


def dataset_named(name: str) -> Dataset:
    """The dataset of that name. Raises UnknownNameError."""
    datasets = known_datasets()
    if name not in datasets:
        raise UnknownNameError("dataset", name, datasets)
    return datasets[name]


def verify(path: Path, file: DataFile) -> None:
    """Raises HarnessError where the file's bytes are not the published ones."""
    with opened(path, MAX_DATA_BYTES, "data file") as stream:
        size = os.fstat(stream.fileno()).st_size
    if size != file.bytes:
        raise HarnessError(f"{path}: has {size:,} bytes, not {file.bytes:,} as published", GET_IT)
    found = file_digest(path)
    if found != file.sha256:
        raise HarnessError(f"{path}: sha256 is {found[:16]}..., not {file.sha256[:16]}... as published", GET_IT)
