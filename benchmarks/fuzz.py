"""Hostile input without end: everything that judgeharness reads, mutated, guided by what code it reaches.

python benchmarks/fuzz.py [--seconds 1200] [--target NAME]...     (needs atheris: pip install atheris)

Each target gets an equal share of the time, in a process of its own. What may come out is a result or an error in words
(HarnessError; for replies of servers FaultError); anything else is a finding, printed with the bytes that did it.

Found so far, and mended: a file name with a zero byte or of 5,000 characters in a task; votes whose sum is beyond all
numbers; a probability of 400 digits; half a surrogate pair in explanations and in what a server writes; a JSON object
whose keys are all the same (quadratic time); `judgeharness eval` alone; and, by random forging rather than by coverage,
a dozen places where JSON of another shape in a store ended in a trace.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import shlex
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["judgeharness"]):
    from judgeharness.cli.program import run
    from judgeharness.domain.errors import HarnessError
    from judgeharness.store.rows import register
    from judgeharness.store.schema import COLUMNS, CONTENTS, KEYS
    from judgeharness.tasks.task import Task

TASK = """
name = "mine"
title = "Mine"
template = "prompt.jinja"
labels = [{name = "yes", text = "Yes", codes = ["y"]}, {name = "no", text = "No"}]
items = {file = "items.jsonl", uid = "uid", votes = "v", fields = {t = "t"}}
references = {old = "o"}
explanations = {path = "e", text = "text", label = "label", annotator = "by"}
splits = [{name = "a", explanations = 1}, {name = "b", rest = [0, 5]}]
"""
ITEM = {"uid": "a", "t": "x", "v": [1, 3], "o": "yes", "e": [{"text": "because", "label": "no", "by": 1}]}
WORDING = (
    "{% for e in explanations %}{{ loop.index }} {{ e.text|upper }}{% endfor %}{{ t or 'x' }}{{ options[0].letter }}"
)
REPLIES = (
    {"choices": [{"message": {"content": "A"}, "finish_reason": "length", "logprobs": {"content": [
        {"token": "A", "logprob": -0.5, "bytes": [65], "id": 3, "top_logprobs": [{"token": "A", "logprob": -0.5}]}]}}],
     "usage": {"prompt_tokens": 3, "completion_tokens": 1}},
    {"choices": [{"text": "A", "logprobs": {"tokens": ["A"], "top_logprobs": [{"A": -0.1, "token_id:5": -3}]}}]},
    {"meta_info": {"output_top_logprobs": [[[-0.1, 5, None]]], "output_token_ids_logprobs": [[[-0.1, 5, "A"]]]}},
)  # fmt: skip
INSTANT = Path(__file__).with_name("instant_backend.py")
SUITE = """
name = "s"
title = "S"
metrics = ["jsd"]
[[evaluations]]
tasks = ["nli-sample"]
backends = ["baseline:uniform"]
strategies = ["parallel"]
limit = 3
"""
COMMANDS = (
    "eval --task nli-sample --backend baseline:uniform --limit 3 --format json",
    "leaderboard --sort kl --top 2 --backend baseline:* --format csv",
    "show 0 sample-01 --format json",
    "compare 0 1 --by jsd",
    "slices 0 --by entropy",
    "list metrics",
    "prompts --task nli-sample --strategy serial -o k=2 --limit 1 --format jsonl",
    "store check --format json",
    "verify 0 --sample 2",
    "rerun 0 --tolerance 1",
    "merge x.db --tolerance 0",
    "data list",
    "--version",
    "--help",
)


class Targets:
    """What is fuzzed: a method each, that takes bytes. They work in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        from judgeharness.domain.nouns import Item, Label
        from judgeharness.tasks.datasets import DataFolders

        self._folder = folder
        self._folders = DataFolders(folder, folder)
        self._labels = (Label("yes", "Yes", ("y",)), Label("no", "No"))
        self._items = (Item("a", {"t": "x"}, (0.25, 0.75)), Item("b", {"t": "y"}, (0.5, 0.5)))
        self._store = b""
        self._at("items.jsonl", json.dumps(ITEM).encode())
        self._at("prompt.jinja", WORDING.encode())

    def task(self, data: bytes) -> None:
        """A task file."""
        with contextlib.suppress(HarnessError):
            self._loaded(data)

    def records(self, data: bytes) -> None:
        """A task's items."""
        self._at("items.jsonl", data)
        self.task(TASK.encode())

    def wording(self, data: bytes) -> None:
        """A template."""
        from judgeharness.tasks.template import Wording

        values = {"t": "x", "explanations": [{"text": "b", "label": ""}], "options": [{"letter": "A", "text": "Yes"}]}
        with contextlib.suppress(HarnessError, UnicodeDecodeError):
            Wording.parse("w", data.decode()).render("a", {**values, "instruction": ""})

    def predictions(self, data: bytes) -> None:
        """Predictions in each form."""
        from judgeharness.backends.file import read_predictions

        for ending in (".csv", ".json", ".jsonl"):
            with contextlib.suppress(HarnessError):
                read_predictions(self._at(f"p{ending}", data), None, self._items, self._labels)

    def explanations(self, data: bytes) -> None:
        """Explanations in place of a task's own."""
        from judgeharness.tasks.explanations import explained, read_explanations

        with contextlib.suppress(HarnessError):
            explained(self._loaded(TASK.encode()), read_explanations(self._at("e.jsonl", data)))

    def reply(self, data: bytes) -> None:
        """What a server answers."""
        from judgeharness.backends.openai.client import FaultError, _json
        from judgeharness.backends.openai.replies import read_answer, read_text

        for read in (read_answer, read_text):
            with contextlib.suppress(FaultError):
                read(_json(data))

    def suite(self, data: bytes) -> None:
        """A suite file."""
        from judgeharness.evaluation.suites import read_suite

        with contextlib.suppress(HarnessError):
            read_suite(self._at("suite.toml", data)).requests(["baseline:uniform"], [], {}, None, [])

    def words(self, data: bytes) -> None:
        """What a model writes, and small things of the command line."""
        from judgeharness.evaluation.shards import Shard
        from judgeharness.plugins import options
        from judgeharness.strategies.reading import read_choice, read_percentages

        text = data.decode("utf-8", "replace")
        read_percentages(text, "AB")
        read_choice(text, {"A": "Yes", "B": "No"})
        with contextlib.suppress(HarnessError):
            options.parse_pairs(text.split("\n"))
        with contextlib.suppress(HarnessError):
            Shard.parse(text)

    def database(self, data: bytes) -> None:
        """A store: the data says which of its bytes are overwritten, since a file of random bytes is none at all."""
        if not self._store:
            self._store = self._sound_store()
        content = bytearray(self._store)
        for place in range(0, len(data) - 3, 4):
            content[int.from_bytes(data[place : place + 3], "big") % len(content)] = data[place + 3]
        for name in ("s.db", "s.db-wal", "s.db-shm", "new.db", "new.db-wal", "new.db-shm"):
            (self._folder / name).unlink(missing_ok=True)
        path = str(self._at("s.db", bytes(content)))
        checked = _quietly("store", "check", "--store", path)
        for words in (
            ("leaderboard", "--format", "json"),
            ("show", "0"),
            ("store", "rescue", "--to", f"{path[:-4]}new.db"),
        ):
            _quietly(*words, "--store", path)
        if not checked:
            # Nothing was found: then all figures are what they were.
            out = io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
                code = run(["leaderboard", "--format", "json", "--store", path])
            if code == 0 and out.getvalue() != self._board:
                raise AssertionError("figures changed, and the check found nothing")

    def forged(self, data: bytes) -> None:
        """A store that somebody wrote with care: another value in a row, and the checksum that belongs to it."""
        if not self._store:
            self._store = self._sound_store()
        path = str(self._at("s.db", self._store))
        given = atheris.FuzzedDataProvider(data)
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            register(connection)
            table = given.PickValueInList(list(COLUMNS))
            column = given.PickValueInList(list(COLUMNS[table]))
            rows = connection.execute(f"SELECT {KEYS[table][0]}, {column} FROM {table}").fetchall()
            key, old = given.PickValueInList(rows) if rows else (None, None)
            new = _forged(given, old)
            sums = ", ".join(CONTENTS[table])
            with contextlib.suppress(sqlite3.Error):
                connection.execute("PRAGMA foreign_keys = OFF")
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {KEYS[table][0]} = ?", (new, key))
                connection.execute(f"UPDATE {table} SET checksum = row_checksum({sums})")
        plugin = ("--plugin", str(INSTANT))
        for words in FORGED:
            _quietly(
                *(self._ids[int(word[3:])] if word.startswith("RUN") else word for word in words),
                *plugin,
                "--store",
                path,
            )

    def command(self, data: bytes) -> None:
        """A command line."""
        text = data.decode("utf-8", "replace").replace("\0", "")
        try:
            given = shlex.split(text)
        except ValueError:
            given = text.split()
        if not any(each.startswith(("hf", "llamacpp", "openai")) for each in given) and "fetch" not in given:
            _quietly(*given[:12])

    def _at(self, name: str, data: bytes) -> Path:
        (self._folder / name).write_bytes(data)
        return self._folder / name

    def _loaded(self, definition: bytes) -> Task:
        from judgeharness.tasks.definition import read_definition
        from judgeharness.tasks.fetch import silent_meter
        from judgeharness.tasks.task import load_task

        return load_task(read_definition(self._at("task.toml", definition)), self._folders, silent_meter)

    def _sound_store(self) -> bytes:
        path = self._folder / "sound.db"
        plugin = str(INSTANT)
        words = (
            "--backend",
            "baseline:human",
            "--backend",
            "instant:x",
            "--strategy",
            "no-explanation",
            "--plugin",
            plugin,
        )
        _quietly("eval", "--task", "nli-sample", "--limit", "3", *words, "--strategy", "sampling", "--store", str(path))
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
        with contextlib.redirect_stdout(io.StringIO()) as out:
            run(["leaderboard", "--format", "json", "--store", str(path)])
        self._board = out.getvalue()
        self._ids = [found["id"] for found in sorted(json.loads(self._board)["runs"], key=_way)]
        return path.read_bytes()


SEEDS: dict[str, list[bytes]] = {
    "task": [TASK.encode()],
    "records": [json.dumps(ITEM).encode() + b"\n"],
    "wording": [WORDING.encode(), b"{{ t|trim|replace('a', 'b') ~ 1 + 2 }}{% set a = [1] %}{{ a|sum }}"],
    "predictions": [b"uid,yes,no\na,1,0\nb,0.5,0.5\n", b'{"a": {"predicted_probabilities": [1, 0]}}'],
    "explanations": [b'{"uid": "a", "explanations": [{"text": "x", "label": "yes"}]}\n'],
    "reply": [json.dumps(each).encode() for each in REPLIES],
    "suite": [SUITE.encode()],
    "words": [b"A: 40%\nB: 60%", b"The answer is (B).", b"k=v", b"1/2"],
    "database": [bytes(range(64)), b"\x00\x10\x20\xff" * 8],
    "forged": [
        bytes([table, column, value, way] * 8)
        for table in range(0, 250, 25)
        for column in (0, 3, 6)
        for value in (1, 5)
        for way in (0, 2)
    ],
    "command": [each.encode() for each in COMMANDS],
}


FORGED = (
    ("store", "check"),
    ("leaderboard", "--format", "json"),
    ("leaderboard", "--metric", "accuracy"),
    ("leaderboard", "--format", "csv"),
    ("leaderboard", "--format", "markdown"),
    ("leaderboard", "--format", "latex"),
    ("leaderboard", "--format", "svg"),
    ("show", "RUN0"),
    ("show", "RUN1", "sample-01"),
    ("show", "RUN3", "sample-01"),
    ("slices", "RUN1", "--by", "entropy"),
    ("compare", "RUN0", "RUN1"),
    ("bias", "RUN1"),
    ("list", "explanations"),
    ("rerun", "RUN0"),
    ("rerun", "RUN1"),
    ("verify", "RUN1"),
    ("verify", "RUN3"),
)


def _way(run: dict[str, Any]) -> list[str]:
    return [str(run[name]) for name in ("backend", "strategy", "transform")]


def _forged(given: atheris.FuzzedDataProvider, old: str | float | None) -> str | float | None:
    """A value in place of another: JSON with one of its parts changed, a text, a number, or nothing."""
    values = (None, [], {}, "x", -1, 1e308, 0.5, True, [[]], [None], {"a": {}}, "\x1b[31m", [1, 2, 3, 4, 5])
    new = values[given.ConsumeIntInRange(0, len(values) - 1)]
    way = given.ConsumeIntInRange(0, 3)
    if way == 0 or not isinstance(old, str):
        return given.PickValueInList([None, -1, 1e308, 0, "", "x", "\x1b[31m", given.ConsumeUnicodeNoSurrogates(20)])
    if way == 1:
        return json.dumps(new)
    try:
        whole = json.loads(old)
    except ValueError:
        return given.ConsumeUnicodeNoSurrogates(40)
    part = whole
    for _ in range(given.ConsumeIntInRange(0, 3)):
        keys = list(part) if isinstance(part, dict) else list(range(len(part))) if isinstance(part, list) else []
        if not keys:
            break
        key = given.PickValueInList(keys)
        if isinstance(part[key], dict | list) and given.ConsumeBool():
            part = part[key]
        else:
            part[key] = new
            break
    return json.dumps(whole)


def _quietly(*given: str) -> int:
    """The program's exit code. Raises AssertionError where it breaks its promises."""
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run([*given])
    if code not in (0, 1, 2) or "Traceback" in err.getvalue() or "\x1b" in out.getvalue() + err.getvalue():
        raise AssertionError(f"{given} ended with {code}: {err.getvalue()}")
    return code


def fuzz(name: str, seconds: int) -> None:
    """One target, in this process, which ends with the time or with what it found."""
    folder, corpus = Path("work").resolve(), Path("corpus").resolve()
    folder.mkdir()
    corpus.mkdir()
    for number, seed in enumerate(SEEDS[name]):
        (corpus / str(number)).write_bytes(seed)
    libfuzzer = [f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=4096", "-max_len=4096"]
    os.chdir(folder)
    atheris.Setup([sys.argv[0], str(corpus), *libfuzzer], getattr(Targets(folder), name))
    atheris.Fuzz()


def main() -> int:
    """Share the time out; exit code 1 where something was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=1200, help="in all")
    parser.add_argument("--target", action="append", help="repeats; all unless given")
    parser.add_argument("--within", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.within:
        fuzz(given.target[0], given.seconds)
        return 0
    names, found = given.target or list(SEEDS), 0
    for name in names:
        words = [sys.executable, str(Path(__file__).resolve()), "--within", "--target", name]
        words += ["--seconds", str(given.seconds // len(names))]
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(words, capture_output=True, text=True, cwd=folder)
        lines = (done.stdout + done.stderr).splitlines()
        last = next((line for line in reversed(lines) if line.startswith("#") or "Done" in line), "")
        print(f"{name}: {'nothing found' if done.returncode == 0 else 'FOUND'}; {last}", flush=True)
        if done.returncode:
            found += 1
            print("\n".join(line for line in lines if not line.startswith(("#", "INFO"))), flush=True)
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
