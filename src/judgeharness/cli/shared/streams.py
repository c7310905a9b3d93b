"""Standard output and standard error, which never fail and show no keys and nothing that is not fit to be shown.

Work that is done is not lost because its result is not shown.
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

_SIZE = re.compile("0*[1-9][0-9]{0,3}")
_FAILING = ("strict", "surrogateescape", "surrogatepass")
_STYLES = re.compile(r"(\x1b\[(?:[0-9;]*m|\d*A|2K|\?25[lh])|\r)")
"""What rich and tqdm write to a terminal: colours, and the movements of progress bars."""


class Sink(io.RawIOBase):
    """Writes bytes to a stream until that fails, and drops them from then on.

    Attributes:
        failure: Why the stream could not be written to, if that happened.
    """

    def __init__(self, stream: TextIO) -> None:
        # Unbuffered streams have no further one below their buffer. The stream is kept since it closes what is below.
        self._stream, self._raw = stream, getattr(stream.buffer, "raw", stream.buffer)
        self.name = stream.name
        self.failure: OSError | None = None

    def writable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the stream's descriptor."""
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return bool(self._raw.isatty())

    def write(self, data: Any) -> int:
        """Write all bytes, or drop them; return how many they are."""
        rest = memoryview(data)
        try:
            while rest and self.failure is None:
                done = self._raw.write(rest)
                if done is None:
                    # The stream does not block, and its reader is slow.
                    select.select((), (self,), ())
                rest = rest[done or 0 :]
        except OSError as error:
            self.failure = error
        return len(data)


class _Steady(io.TextIOWrapper):
    """Text as it is fit to be shown. On a terminal, libraries may style it."""

    styled = False

    def write(self, text: str) -> int:
        parts = _STYLES.split(scrub(text)) if self.styled else [scrub(text)]
        super().write("".join(part if place % 2 else safe(part) for place, part in enumerate(parts)))
        return len(text)


class _Ascii(_Steady):
    # If there were one, click would write UTF-8 to it.
    buffer = None  # type: ignore[assignment]


def echo(text: str, *, err: bool = False) -> None:
    """Print a text that may come from anywhere, as a line, to standard output or to standard error."""
    click.echo(safe(scrub(text)), err=err)


def json_line(value: Any) -> str:
    """Return a value as JSON in one line, with escapes in place of what standard output cannot encode or show."""
    import json

    text = json_text(value)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return json.dumps(value)
    return text


def make_steady() -> Sink:
    """Replace sys.stdout and sys.stderr by streams that never fail, and return what is below sys.stdout.

    They replace characters that they cannot encode, and drop everything once their reader has gone or their disk is
    full. Keys are taken out, and what is not fit to be shown is escaped. Sizes of the terminal in the environment that
    are not sizes are removed: rich would fail on them.
    """
    # Otherwise the next file that is opened takes the place of a closed stream, and gets what libraries print there.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < 3:
        pass
    os.close(descriptor)
    for name in ("COLUMNS", "LINES"):
        if not _SIZE.fullmatch(os.environ.get(name, "1")):
            del os.environ[name]
    sys.stderr, _ = _steady(sys.stderr)
    sys.stdout, sink = _steady(sys.stdout)
    return sink


def _steady(given: TextIO | None) -> tuple[TextIO, Sink]:
    # A closed stream is None; its descriptor is a file by now, which swallows everything.
    stream: Any = given or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    stream.flush()
    sink = Sink(stream)
    kind = _Ascii if codecs.lookup(stream.encoding).name == "ascii" else _Steady
    errors = "replace" if stream.errors in _FAILING else stream.errors
    lines, at_once = stream.line_buffering, stream.write_through
    steady = kind(sink, stream.encoding, errors, line_buffering=lines, write_through=at_once)
    # As rich finds out whether it may.
    steady.styled = sink.isatty() or bool(os.environ.get("FORCE_COLOR")) or os.environ.get("TTY_COMPATIBLE") == "1"
    return steady, sink
