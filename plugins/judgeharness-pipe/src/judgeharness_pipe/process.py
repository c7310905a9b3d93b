"""A program that is kept running, asked by a line and answering by a line."""

from __future__ import annotations

import contextlib
import queue
import subprocess
import threading
from collections import deque
from pathlib import Path

from judgeharness.plugin import HarnessError

MAX_LINE = 1 << 24
KEPT_LINES = 8


class Process:
    """Raises HarnessError where the program cannot be started, ends, or takes longer than `timeout` seconds."""

    def __init__(self, path: Path, timeout: float) -> None:
        self._path = path
        self._timeout = timeout
        self._lines: queue.Queue[bytes] = queue.Queue()
        self._errors: deque[str] = deque(maxlen=KEPT_LINES)
        try:
            self._process = subprocess.Popen(
                [str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        except OSError as error:
            raise HarnessError(f"{path}: cannot be started: {error.strerror}") from error
        self._readers = [threading.Thread(target=each, daemon=True) for each in (self._read_lines, self._read_errors)]
        for reader in self._readers:
            reader.start()

    def ask(self, line: str) -> str:
        """The program's answer to a line."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()
            answer = self._lines.get(timeout=self._timeout)
        except OSError as error:
            raise self._failure("does not read any more") from error
        except queue.Empty as error:
            raise self._failure(f"did not answer within {self._timeout:g} seconds") from error
        if not answer:
            raise self._failure("ended before it answered")
        if len(answer) >= MAX_LINE:
            raise self._failure(f"wrote a line of more than {MAX_LINE:,} bytes")
        return answer.decode("utf-8", "replace")

    def close(self) -> None:
        """End it: by closing its stdin, and after a while by force."""
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(timeout=5)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline(MAX_LINE):
            self._lines.put(line)
        self._lines.put(b"")

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        while line := self._process.stderr.readline(MAX_LINE):
            self._errors.append(line.decode("utf-8", "replace").rstrip())

    def _failure(self, what: str) -> HarnessError:
        self._readers[1].join(timeout=0.5)
        said = next((line for line in reversed(self._errors) if line), None)
        return HarnessError(f"{self._path.name} {what}", f"its last words: {said[:200]}" if said else None)
