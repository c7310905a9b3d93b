"""Fetch a dataset: download it with progress, check every file, and only then move the files into place."""

from __future__ import annotations

import io
import queue
import threading
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from judgeharness.domain.api_keys import remember_environment, scrub, scrubbed_error
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import make_folder, place, write
from judgeharness.domain.scratch import scratch
from judgeharness.tasks.datasets import CACHE_VARIABLE, DATA_DIR_VARIABLE, DataFile, DataFolders, Dataset, verify

if TYPE_CHECKING:
    import requests

TIMEOUT_SECONDS = 30
"""A download has stalled if it does not receive another CHUNK within this time."""
CHUNK = 16 << 10
RETRIES = 2


class Meter(Protocol):
    """Shows the progress of a download: bytes received, and bytes in total (0 if unknown)."""

    def __call__(self, done: int, total: int) -> None:
        """Report progress. Called as bytes arrive."""


MeterFactory = Callable[[str], AbstractContextManager[Meter]]
"""Makes the meter of a download from a line that says what is fetched."""


def fetch(
    dataset: Dataset,
    folders: DataFolders,
    meters: MeterFactory,
    url: str | None = None,
    timeout: float = TIMEOUT_SECONDS,
) -> list[Path]:
    """Download the dataset into the cache and return its files' paths.

    An interrupted or stalled download is restarted from the beginning up to RETRIES times. Files appear in the cache
    complete and verified, or not at all.

    Args:
        dataset: The dataset.
        folders: The folders for data.
        meters: Makes the meter that shows progress.
        url: A mirror. The hashes are the same.
        timeout: After how many seconds without progress a download has stalled.

    Raises:
        HarnessError: The dataset could not be downloaded, or is not the published one.
    """
    target = folders.cache / dataset.name
    try:
        make_folder(target)
    except InputError as error:
        raise HarnessError(error.message, f"set {CACHE_VARIABLE} to a folder that can be written to") from error
    with scratch(target) as work, meters(_what(dataset)) as meter:
        download = work / "download"
        _download(dataset, url or dataset.url, download, meter, timeout)
        return [_placed(dataset, file, download, work, target) for file in dataset.files]


def ensure(dataset: Dataset, file: DataFile, folders: DataFolders, meters: MeterFactory) -> Path:
    """Return the verified file's path, and fetch the file first if it is missing. Raises HarnessError."""
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
    remember_environment()
    settings: Any = {"headers": {"Accept-Encoding": "identity"}, "hooks": {"response": _without_useless_content}}
    for attempt in range(RETRIES + 1):
        bar = _Bar(meter, dataset.max_download)
        download = pooch.HTTPDownloader(progressbar=bar, chunk_size=CHUNK, timeout=timeout, **settings)
        try:
            _watch(partial(download, url, str(path), None, check_only=False), bar, timeout)
            return
        except requests.HTTPError as error:
            status = error.response.status_code
            if status < 500 or attempt == RETRIES:
                raise HarnessError(f"{url} answered {status} {error.response.reason}") from scrubbed_error(error)
        # ValueError means that a length in the headers is not a number.
        except (requests.RequestException, OSError, ValueError) as error:
            if attempt == RETRIES:
                raise HarnessError(f"{url}: {_reason(error)}") from scrubbed_error(error)


def _watch(download: Callable[[], None], bar: _Bar, timeout: float) -> None:
    """Run a download in a thread, and abandon it if it stalls. The timeout of requests applies only to single reads."""
    ends: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def run() -> None:
        try:
            download()
        except Exception as error:
            ends.put(error)
        else:
            ends.put(None)

    threading.Thread(target=run, daemon=True).start()
    error = _end(ends, bar, timeout)
    try:
        if error is not None:
            raise error
    finally:
        # The error's traceback refers to this frame, and so to the connection.
        del error


def _end(ends: queue.SimpleQueue[Exception | None], bar: _Bar, timeout: float) -> Exception | None:
    """Wait for a download to end while it makes progress. Raises TimeoutError."""
    while True:
        before = bar.done
        try:
            return ends.get(timeout=timeout)
        except queue.Empty:
            if bar.done == before:
                bar.is_left = True
                raise TimeoutError("timed out") from None


def _without_useless_content(response: requests.Response, *_: Any, **__: Any) -> None:
    """Discard the body of a redirect, which requests would read completely, however large it is."""
    if response.is_redirect:
        response.raw.close()
        response.raw = io.BytesIO()


def _reason(error: Exception) -> str:
    import requests

    if isinstance(error, requests.ConnectTimeout | requests.ReadTimeout) or "timed out" in str(error).lower():
        return "the server stopped answering"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the download is incomplete"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return " ".join(scrub(str(error)).split()) or type(error).__name__


class _Bar:
    """The progress interface of pooch's downloader for a meter. It stops downloads that are too large or abandoned."""

    def __init__(self, meter: Meter, most: int) -> None:
        self._meter = meter
        self._most = most
        self.done = 0
        self.total = 0
        self.is_left = False

    def update(self, count: int) -> None:
        if self.is_left:
            raise TimeoutError("timed out")
        self.done += count
        if self.done > self._most or self.total > self._most:
            raise HarnessError(f"the download is larger than the {self._most:,} bytes that the dataset can have")
        self._meter(self.done, self.total)

    def reset(self) -> None:
        self.done = 0

    def close(self) -> None:
        self.done = 0


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
    place(candidate, target / file.name)
    return target / file.name


def _extract(archive: Path, member: str, path: Path, size: int) -> None:
    """Extract one member by its full name. Nothing else in the archive is read, and its paths are not trusted."""
    try:
        with zipfile.ZipFile(archive) as zipped:
            if zipped.getinfo(member).file_size != size:
                raise HarnessError(f"{member} in the downloaded archive has the wrong size")
            with zipped.open(member) as source:
                write(path, source.read(size + 1))
    except KeyError as error:
        raise HarnessError(f"the downloaded archive has no {member}") from error
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise HarnessError(f"what was downloaded is not a sound zip archive: {error}") from error


def silent_meter(what: str) -> AbstractContextManager[Meter]:
    """Return a meter that shows nothing."""
    return nullcontext(silent)


def silent(done: int, total: int) -> None:
    """Show nothing."""
