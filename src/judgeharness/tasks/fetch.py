"""Fetching a dataset: download with progress, check every file, and only then put it in place."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Protocol

from judgeharness.errors import HarnessError
from judgeharness.tasks.datasets import DATA_DIR_VARIABLE, DataFile, DataFolders, Dataset, verify

TIMEOUT_SECONDS = 30
RETRIES = 2


class Meter(Protocol):
    """What shows the progress of a download: bytes done, and bytes in all (0: unknown)."""

    def __call__(self, done: int, total: int) -> None:
        """Called as bytes arrive."""


MeterFactory = Callable[[str], AbstractContextManager[Meter]]
"""Makes the meter of one download from a line that says what is fetched."""


def fetch(
    dataset: Dataset,
    folders: DataFolders,
    meters: MeterFactory,
    url: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> list[Path]:
    """Download the dataset into the cache and return its files' paths.

    url: a mirror; the hashes are the same. A cut-off or stalled download is tried again from the start, twice;
    files appear in the cache whole and verified, or not at all. Raises HarnessError.
    """
    target = folders.cache / dataset.name
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".fetch-") as folder, meters(_what(dataset)) as meter:
        download = Path(folder) / "download"
        _download(dataset, url or dataset.url, download, meter, timeout)
        return [_placed(dataset, file, download, Path(folder), target) for file in dataset.files]


def ensure(dataset: Dataset, file: DataFile, folders: DataFolders, meters: MeterFactory) -> Path:
    """The verified file's path: where it is at hand, or after fetching it. Raises HarnessError."""
    path = folders.find(dataset, file)
    if path is None:
        try:
            fetch(dataset, folders, meters)
        except HarnessError as error:
            raise HarnessError(
                f"{file.name} of {dataset.title} is not at hand, and fetching it failed: {error.message}",
                f"run 'judgeharness data fetch {dataset.name}' online, or set {DATA_DIR_VARIABLE} to a folder "
                f"that holds {dataset.name}/{file.name}",
            ) from error
        path = folders.cache / dataset.name / file.name
    verify(path, file)
    return path


def _what(dataset: Dataset) -> str:
    return f"fetching {dataset.title}"


def _download(dataset: Dataset, url: str, path: Path, meter: Meter, timeout: float) -> None:
    import logging

    import pooch
    import requests

    pooch.get_logger().setLevel(logging.ERROR)
    downloader = pooch.HTTPDownloader(
        progressbar=_Bar(meter, dataset.max_download), timeout=timeout, headers={"Accept-Encoding": "identity"}
    )
    for attempt in range(RETRIES + 1):
        try:
            downloader(url, str(path), None, check_only=False)
            return
        except requests.HTTPError as error:
            status = error.response.status_code
            if status < 500 or attempt == RETRIES:
                raise HarnessError(f"{url} answered {status} {error.response.reason}") from error
        except (requests.RequestException, OSError) as error:
            if attempt == RETRIES:
                raise HarnessError(f"{url}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout) or "timed out" in str(error).lower():
        return "the server stopped answering"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the download was cut off"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return " ".join(str(error).split()) or type(error).__name__


class _Bar:
    """The progress interface of pooch's downloader, in front of a meter; breaks off what is too large."""

    def __init__(self, meter: Meter, most: int) -> None:
        self._meter = meter
        self._most = most
        self._done = 0
        self.total = 0

    def update(self, count: int) -> None:
        self._done += count
        if self._done > self._most or self.total > self._most:
            raise HarnessError(f"the download is larger than the {self._most:,} bytes that the dataset can have")
        self._meter(self._done, self.total)

    def reset(self) -> None:
        self._done = 0

    def close(self) -> None:
        self._done = 0


def _placed(dataset: Dataset, file: DataFile, download: Path, work: Path, target: Path) -> Path:
    candidate = work / "candidate"
    if dataset.archive_folder is None:
        download.replace(candidate)
    else:
        _extract(download, f"{dataset.archive_folder}/{file.name}", candidate, file.bytes)
    try:
        verify(candidate, file)
    except HarnessError as error:
        raise HarnessError(
            f"what was downloaded as {file.name} is not the published file: {error.message.partition(': ')[2]}",
            "try again later, or fetch from another address with --url",
        ) from error
    candidate.replace(target / file.name)
    return target / file.name


def _extract(archive: Path, member: str, path: Path, size: int) -> None:
    """One member by its full name; nothing else of the archive is touched, and no path in it is believed."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            if zipped.getinfo(member).file_size != size:
                raise HarnessError(f"{member} in the downloaded archive has the wrong size")
            with zipped.open(member) as source:
                path.write_bytes(source.read(size + 1))
    except KeyError as error:
        raise HarnessError(f"the downloaded archive has no {member}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise HarnessError(f"what was downloaded is not a sound zip archive: {error}") from error


def silent_meter(what: str) -> AbstractContextManager[Meter]:
    """A meter that nobody watches."""
    return nullcontext(silent)


def silent(done: int, total: int) -> None:
    """A meter that shows nothing."""
