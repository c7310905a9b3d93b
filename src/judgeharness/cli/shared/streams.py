"""Standard output and error that never fail, hide API keys and escape control characters.

Finished work must not be lost because its result cannot be printed.
"""

from __future__ import annotations

import codecs
import io
import os
import re
import select
import sys
from typing import Any, TextIO

import click

from judgeharness.domain.api_keys import scrub
from judgeharness.domain.escaping import json_text, safe

_SIZE = "0*[1-9][0-9]{0,3}"
_FAILING = ("strict", "surrogateescape", "surrogatepass")
_STYLES = r"(\x1b\[(?:[0-9;]*m|\d*A|2K|\?25[lh])|\r)"
"""Escape sequences of rich and tqdm: colours, and the cursor movements of progress bars."""


class Sink(io.RawIOBase):
    """Raw stream that writes to another stream, and drops all bytes after the first failure.

    Attributes:
        failure: The first error, or None.
    """

    def __init__(self, stream: TextIO) -> None:
        # Unbuffered streams have no raw stream below. The reference keeps the stream from being closed.
        self._stream, self._raw = stream, getattr(stream.buffer, "raw", stream.buffer)
        self.name = stream.name
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the file descriptor of the stream."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        """Write or drop all bytes, and return their number."""
        rest = memoryview(data)
        try:
            while rest and self.failure is None:
                done = self._raw.write(rest)
                if done is None:
                    # A non-blocking stream is full.
                    select.select((), (self,), ())
                rest = rest[done or 0 :]
        except OSError as error:
            self.failure = error
        return len(data)


class _Steady(io.TextIOWrapper):
    """Text stream that hides keys and escapes control characters. On a terminal it keeps styles of libraries."""

    styled = False

    def write(self, text: str) -> int:
        parts = re.split(_STYLES, scrub(text)) if self.styled else [scrub(text)]
        super().write("".join(part if place % 2 else safe(part) for place, part in enumerate(parts)))
        return len(text)


class _Ascii(_Steady):
    # With a buffer, click would write UTF-8 to it.
    buffer = None  # type: ignore[assignment]


def echo(text: str, *, err: bool = False) -> None:
    """Print a line of untrusted text to standard output or standard error."""
    click.echo(safe(scrub(text)), err=err)


def json_line(value: Any) -> str:
    """Return a value as one line of JSON. Characters that standard output cannot encode or show are escaped."""
    import json

    text = json_text(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def make_steady() -> Sink:
    """Replace sys.stdout and sys.stderr by streams that never fail, and return the raw stream of sys.stdout.

    The streams replace characters that they cannot encode, hide API keys and escape control characters. If the reader
    is gone or the disk is full, they drop all further output. COLUMNS and LINES are removed from the environment if
    they are not valid sizes, because rich would fail.
    """
    # Otherwise the next file that is opened gets the descriptor of a closed stream, and the output of libraries.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    for name in ("COLUMNS", "LINES"):
        if name in os.environ and not re.fullmatch(_SIZE, os.environ[name]):
            del os.environ[name]
    sys.stderr, _ = _steady(sys.stderr)
    sys.stdout, sink = _steady(sys.stdout)
    return sink


def _steady(given: TextIO | None) -> tuple[TextIO, Sink]:
    # A closed stream is None. Its descriptor now belongs to os.devnull.
    stream: Any = given or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    stream.flush()
    sink = Sink(stream)
    kind = _Ascii if codecs.lookup(stream.encoding).name == "ascii" else _Steady
    errors = "replace" if stream.errors in _FAILING else stream.errors
    lines, at_once = stream.line_buffering, stream.write_through
    steady = kind(sink, stream.encoding, errors, line_buffering=lines, write_through=at_once)
    # The same conditions as in rich.
    steady.styled = sink.isatty() or bool(os.environ.get("FORCE_COLOR")) or os.environ.get("TTY_COMPATIBLE") == "1"
    return steady, sink
