"""Datasets that are downloaded from their official addresses: their contents, and where their files are."""

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
    """A file of a dataset, with its size in bytes and its sha256 in hexadecimal digits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    bytes: int
    sha256: str


class Dataset(BaseModel):
    """A dataset and its official address.

    Attributes:
        url: The address of the file itself or, if `archive_folder` is set, of a zip archive.
        archive_folder: The folder in the archive that contains the files.
        max_download: The number of bytes at which a download is stopped.
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
        """Return the file with this name. Raises UnknownNameError."""
        for file in self.files:
            if file.name == name:
                return file
        raise UnknownNameError(f"file of dataset {self.name}", name, [file.name for file in self.files])


@dataclass(frozen=True, slots=True)
class DataFolders:
    """Where data is searched for: first in the user's own folder, then in the cache that downloads go to.

    Both contain a folder for each dataset.
    """

    own: Path | None
    cache: Path

    @classmethod
    def from_environment(cls, data_dir: str | None = None) -> DataFolders:
        """Return `--data-dir` or JUDGEHARNESS_DATA_DIR, and the user's cache."""
        chosen = data_dir or os.environ.get(DATA_DIR_VARIABLE) or None
        return cls(Path(chosen).expanduser() if chosen else None, cache_folder() / "data")

    def find(self, dataset: Dataset, file: DataFile) -> Path | None:
        """Return the file's path if it exists, or None."""
        for folder in (self.own, self.cache):
            if folder is not None and is_file(path := folder / dataset.name / file.name):
                return path
        return None


def cache_folder() -> Path:
    """Return the user's cache folder for judgeharness, for data and converted models."""
    import platformdirs

    try:
        return Path(platformdirs.user_cache_dir("judgeharness", appauthor=False)).expanduser()
    except RuntimeError:
        # The user has no home folder. Whatever needs no cache still works.
        return NO_HOME / "judgeharness"


@cache
def known_datasets() -> dict[str, Dataset]:
    """Return the datasets that judgeharness can download, by name."""
    found = [
        Dataset.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        for path in sorted((shipped() / "datasets").glob("*.toml"))
    ]
    return {dataset.name: dataset for dataset in found}


def dataset_named(name: str) -> Dataset:
    """Return the dataset with this name. Raises UnknownNameError."""
    datasets = known_datasets()
    if name not in datasets:
        raise UnknownNameError("dataset", name, datasets)
    return datasets[name]


def verify(path: Path, file: DataFile) -> None:
    """Raise HarnessError if a file's bytes are not the published ones."""
    with opened(path, MAX_DATA_BYTES, "data file") as stream:
        size = os.fstat(stream.fileno()).st_size
    if size != file.bytes:
        raise HarnessError(f"{path}: has {size:,} bytes, not {file.bytes:,} as published", GET_IT)
    found = file_digest(path)
    if found != file.sha256:
        raise HarnessError(f"{path}: sha256 is {found[:16]}..., not {file.sha256[:16]}... as published", GET_IT)
