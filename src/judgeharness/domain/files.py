"""Files of users. Only regular files of a bounded size are read, and files are written completely or not at all."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from judgeharness.domain.api_keys import scrub
from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.scratch import scratch

MAX_DATA_BYTES = 1 << 30
MAX_WEIGHTS_BYTES = 1 << 43
_STREAMS = ("/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/fd/", "/proc/")
_DATABASE = b"SQLite format 3\0"
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextlib.contextmanager
def opened(path: Path, most: int = MAX_DATA_BYTES, what: str = "file") -> Iterator[io.BufferedReader]:
    """Open a file for reading. Pipes and devices are refused, except for this process's own standard input.

    Args:
        path: The file.
        most: The largest size of a file that is read, in bytes.
        what: The kind of file, for messages.

    Raises:
        InputError: If the file is missing, cannot be read, is too large, or grows while it is read.
    """
    try:
        # Check the path first, since opening a device may have effects, and then check what was opened.
        _require_regular(path.stat(), path)
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        raise InputError(f"{_shortened(path)}: no such {what}") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{_shortened(path)}: cannot be read: {_reason(error)}") from error
    with open(descriptor, "rb") as plain:  # noqa: PTH123
        about = os.fstat(descriptor)
        _require_regular(about, path)
        if stat.S_ISREG(about.st_mode):
            if about.st_size > most:
                raise _too_large(path, most, what)
            yield io.BufferedReader(_Bounded(descriptor, path, about.st_size))
            return
        os.set_blocking(descriptor, True)
        try:
            content = plain.read(most + 1)
        except OSError as error:
            raise InputError(f"{_shortened(path)}: cannot be read: {_reason(error)}") from error
        if len(content) > most:
            raise _too_large(path, most, what)
        yield io.BufferedReader(io.BytesIO(content))


def read_bytes(path: Path, most: int = MAX_DATA_BYTES, what: str = "file") -> bytes:
    """Return a file's content. Arguments and errors are those of `opened`."""
    with opened(path, most, what) as stream:
        return stream.read()


def read_text(path: Path, most: int = MAX_DATA_BYTES, what: str = "file") -> str:
    """Return the text of a UTF-8 file, with a line feed at the end of each line. Errors are those of `opened`."""
    try:
        return io.TextIOWrapper(io.BytesIO(read_bytes(path, most, what)), encoding="utf-8").read()
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def is_file(path: Path) -> bool:
    """Return whether a path leads to a regular file, possibly through links. Impossible names are no error."""
    return os.path.isfile(path)  # noqa: PTH113


def is_stream(path: Path) -> bool:
    """Return whether a path names a stream of a process, whatever file it leads to."""
    return str(path.absolute()).startswith(_STREAMS)


def is_folder(path: Path) -> bool:
    """Return whether a path leads to a folder, possibly through links. Impossible names are no error."""
    return os.path.isdir(path)  # noqa: PTH112


def require_place(path: Path) -> Path:
    """Return the path to which a file is written, after following all links.

    Raises:
        InputError: If no file can be written there: the path is not a file, the folder is missing or not writable, or
            the file is write-protected or a database.
    """
    try:
        target = Path(os.path.realpath(path))
        there = target.lstat() if os.path.lexists(target) else None
        if is_stream(path):
            raise InputError(
                f"{path}: is a stream, not a file", "name a file; what it holds can be passed on from there"
            )
        if there is not None and not stat.S_ISREG(there.st_mode):
            kind = _KINDS.get(stat.S_IFMT(there.st_mode), "a circle of links")
            raise InputError(f"{path}: is {kind}, not a file", "name a new file, or one that may be replaced")
        _require_writable(path, target, there is not None)
        if there is not None and _is_database(target):
            raise InputError(f"{path}: is a database, such as a store", "name a new file")
    except (OSError, ValueError) as error:
        raise InputError(f"{_shortened(path)}: cannot be written: {_reason(error)}") from error
    return target


def require_folder(folder: Path) -> None:
    """Check that files can be written in a folder, without creating it.

    Raises:
        InputError: If it is not a folder, cannot be written to, or is missing and cannot be created.
    """
    there = next(each for each in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(each))
    if not is_folder(there):
        raise InputError(f"{there}: is not a folder", f"no files can be written to {_shortened(folder)}")
    if not os.access(there, os.W_OK | os.X_OK):
        raise InputError(f"{there}: cannot be written to: the folder is read-only", "name another one")


def make_folder(folder: Path) -> None:
    """Create a folder if it is missing. Errors are those of `require_folder`."""
    require_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise InputError(f"{_shortened(folder)}: no folder can be made there: {_reason(error)}") from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file that replaces an older one only when it is complete, and keeps its permissions.

    Raises:
        InputError: As `require_place` raises it.
        HarnessError: If the file cannot be written. An older file is unchanged.
    """
    target = require_place(path)
    with scratch(target.parent) as work:
        with writing(path), (work / "new").open("xb") as stream:
            yield stream
        place(work / "new", target)


def write(path: Path, content: str | bytes) -> None:
    """Write a complete file, with text as UTF-8 and without keys. Errors are those of `replacing`."""
    encoded = scrub(content).encode() if isinstance(content, str) else content
    with replacing(path) as stream:
        stream.write(encoded)


def remember(path: Path, content: str) -> str | None:
    """Write a small cache file and its folder. Returns why that failed, if it did, since nothing depends on it."""
    try:
        make_folder(path.parent)
        write(path, content)
    except HarnessError as error:
        return error.message
    return None


def place(new: Path, target: Path) -> None:
    """Replace a file with a complete one on the same file system, which gets the old file's permissions.

    Raises:
        HarnessError: If that fails.
    """
    with writing(target):
        with new.open("rb+") as stream:
            os.fsync(stream.fileno())
        if target.exists():
            new.chmod(stat.S_IMODE(target.stat().st_mode))
        new.replace(target)


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError inside the block into a HarnessError that names the file or folder."""
    try:
        yield
    except OSError as error:
        raise HarnessError(f"{path}: cannot be written: {_reason(error)}") from error


class _Bounded(io.FileIO):
    """A regular file that is read up to its size when it was opened. More content is an error."""

    # FileIO's own methods would not use readinto.
    read = io.RawIOBase.read  # type: ignore[assignment]
    readall = io.RawIOBase.readall

    def __init__(self, descriptor: int, path: Path, size: int) -> None:
        super().__init__(descriptor, closefd=False)
        self._path = path
        self._size = size

    def readinto(self, buffer: Any) -> int | None:
        try:
            done = super().readinto(buffer)
        except OSError as error:
            raise InputError(f"{self._path}: cannot be read: {_reason(error)}") from error
        if self.tell() > self._size:
            raise InputError(f"{self._path}: grew while it was read", "wait until whatever writes it has ended")
        return done


def _require_regular(about: os.stat_result, path: Path) -> None:
    if stat.S_ISREG(about.st_mode) or _is_standard_input(about):
        return
    kind = _KINDS.get(stat.S_IFMT(about.st_mode), "something else")
    raise InputError(f"{path}: is {kind}, not a file")


def _is_standard_input(about: os.stat_result) -> bool:
    try:
        return not stat.S_ISDIR(about.st_mode) and os.path.samestat(about, os.fstat(0))
    except OSError:
        return False


def _require_writable(path: Path, target: Path, exists: bool) -> None:
    folder = target.parent
    if not folder.is_dir():
        raise InputError(f"{path}: there is no folder {folder}", "make it first, or name another one")
    if len(os.fsencode(target.name)) > os.pathconf(folder, "PC_NAME_MAX"):
        raise InputError(f"{_shortened(path)}: the name is too long")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise InputError(f"{path}: cannot be written: the folder {folder} is read-only", "name a file in another one")
    if exists and not os.access(target, os.W_OK):
        raise InputError(f"{path}: cannot be written: it is read-only", "name another file")


def _is_database(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_DATABASE)) == _DATABASE


def _too_large(path: Path, most: int, what: str) -> InputError:
    return InputError(f"{path}: larger than {most:,} bytes, the most that a {what} may have")


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _shortened(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 300 else f"{text[:60]}...{text[-60:]}"
