"""Commands that write files, killed (SIGKILL) at random moments, and what is left.

python benchmarks/kills_writers.py [--kills 20] [--seed 0] [COMMAND ...]

Each command is timed once. Then it is started again and again, over the files that it wrote, and killed after a random
while. After each kill its files must be as they were, or whole and new. In the end the command runs undisturbed: after
that nothing may be there besides what it writes. Exit code 1 if that does not hold.
"""

from __future__ import annotations

import argparse
import hashlib
import http.server
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from judgeharness.store.check import problems

PRETEND = """
from judgeharness import hookimpl
from judgeharness.plugins.specs import BackendSpec
from judgeharness.testing.pretend import PretendModel

@hookimpl
def judgeharness_backends():
    return [BackendSpec(name="pretend", summary="made up", target=f"{__name__}:Pretend")]

class Pretend(PretendModel):
    def __init__(self, model, options, context): pass
"""
SUITE = """
name = "mine"
title = "Mine"
[[evaluations]]
tasks = ["nli-sample"]
backends = ["pretend:x"]
strategies = ["no-explanation"]
"""
TASK = """
name = "halves"
title = "Halves"
template = "builtin:nli"
labels = [{name = "yes", text = "Yes"}, {name = "no", text = "No"}]
items = {file = "halves.jsonl", votes = "votes", fields = {premise = "p", hypothesis = "h"}}
explanations = {path = "e"}
splits = [{name = "train", explanations = 1}, {name = "dev", rest = [0, 8]}]
"""
PLUGIN = ("--plugin", "pretend.py")
SAMPLE = ("--task", "nli-sample")
MINILM = ("--model", "minilm", "-o", "epochs=1")
COMMANDS: dict[str, tuple[str, ...]] = {
    "export": ("export", "RUN", *SAMPLE, "--store", "s.db", "--out", "out"),
    "explain": ("explain", *SAMPLE, "--backend", "pretend:x", *PLUGIN, "--store", "e.db", "--out", "e.jsonl"),
    "run": ("run", "suite.toml", *PLUGIN, "--store", "r.db", "--report", "report"),
    "new-task": ("new-task", "replies.jsonl", "--yes"),
    "new-plugin": ("new-plugin", "my-metric", "--kind", "metric"),
    "plot": ("plot", "ternary", "RUN", "--store", "s.db", "--out", "plot.pdf"),
    "report": ("report", "--store", "s.db", "-o", "report.html"),
    "merge": ("merge", "s.db", "--store", "merged.db"),
    "rescue": ("store", "rescue", "--store", "s.db", "--to", "rescued.db"),
    "backup": ("store", "backup", "--store", "s.db", "--to", "copy.db"),
    "rerun": ("rerun", "MODEL", *PLUGIN, "--store", "s.db", "--into", "again.db"),
    "fetch": ("data", "fetch", "DATASET", "--url", "URL"),
    "finetune": ("finetune", *MINILM, "--task", "halves.toml", "--labels", "baseline:human", "--store", "f.db"),
}  # fmt: skip
ONCE = ("new-task", "new-plugin", "rescue", "backup", "rerun")
"""What refuses to write over what is there: each time, it begins with nothing."""
STORES = (".db",)
MOST_STARTS = 3
COMMITTED = ("e.db", "r.db", "f.db")
"""Stores that are written answer by answer: they have to be sound after a kill, not the same."""


def snapshot(folder: Path) -> dict[str, str]:
    """Every file of a folder by its content, besides SQLite's own, which it cleans up itself."""
    return {
        path.relative_to(folder).as_posix(): content(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm", "-journal"))
    }


def content(path: Path) -> str:
    """A hash of a file, or of what a store says besides times."""
    if path.suffix in STORES:
        return "damaged" if problems(path) else "a sound store"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def started(words: list[str], folder: Path) -> subprocess.Popen[bytes]:
    """The program with these words, in a folder, with a cache and temporary files of its own."""
    mine = {"XDG_CACHE_HOME": str(folder / "cache"), "TMPDIR": str(folder / "tmp"), "MPLCONFIGDIR": str(folder.parent)}
    command = [sys.executable, "-m", "judgeharness", *words]
    silent = subprocess.DEVNULL
    return subprocess.Popen(command, cwd=folder, env={**os.environ, **mine}, stdout=silent, stderr=silent)


def torn(before: dict[str, str], whole: dict[str, str], now: dict[str, str]) -> list[str]:
    """The files that are neither as they were nor as they are when they are whole."""
    return [
        name
        for name, found in now.items()
        if not any(part.startswith(".") for part in name.split("/"))
        and ".part/" not in name
        and (found == "damaged" or name not in {**whole, **before} or found not in (before.get(name), whole.get(name)))
        and not (name in COMMITTED and found != "damaged")
    ]


def tried(words: list[str], start: Path, kills: int, draw: random.Random, once: bool) -> tuple[int, int, list[str]]:
    """How often a command was killed while it ran, how often a file was torn, and what is left in the end."""
    folder = start.with_name("work")
    shutil.copytree(start, folder)
    begun = time.monotonic()
    if started(words, folder).wait():
        raise SystemExit(f"{' '.join(words)} fails without being killed")
    took, whole = time.monotonic() - begun, snapshot(folder)
    done, faults = 0, 0
    if once:
        shutil.rmtree(folder)
        shutil.copytree(start, folder)
    for _ in range(MOST_STARTS * kills):
        if done == kills:
            break
        before = snapshot(folder)
        process = started(words, folder)
        time.sleep(draw.uniform(0.2 * took, took))
        done += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        faults += bool(found := torn(before, whole, snapshot(folder)))
        if found:
            print("torn:", found, flush=True)
        if once and set(whole) <= set(snapshot(folder)):
            shutil.rmtree(folder)
            shutil.copytree(start, folder)
    code = started(words, folder).wait()
    extra = [] if code == 0 or once else [f"exit code {code}"]
    extra += sorted(set(snapshot(folder)) ^ set(whole))
    shutil.rmtree(folder)
    return done, faults, extra


class Archive(http.server.SimpleHTTPRequestHandler):
    """Serves one file, slowly enough to be killed meanwhile."""

    def do_GET(self) -> None:
        """Send it in pieces."""
        body = Path(os.environ["ARCHIVE"]).read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        for start in range(0, len(body), 1 << 18):
            self.wfile.write(body[start : start + (1 << 18)])
            time.sleep(0.02)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


def prepared(folder: Path) -> Callable[[str], str]:
    """Files and stores that the commands start from; gives the words that stand for others."""
    for name, text in (("pretend.py", PRETEND), ("suite.toml", SUITE), ("halves.toml", TASK)):
        (folder / name).write_text(text)
    (folder / "replies.jsonl").write_text('{"uid": "a", "text": "x", "votes": {"yes": 1, "no": 2}}\n')
    items = ({"uid": str(n), "p": f"p {n}", "h": "h", "votes": [n, 16 - n], "e": halves(n)} for n in range(16))
    (folder / "halves.jsonl").write_text("".join(json.dumps(each) + "\n" for each in items))
    (folder / "tmp").mkdir()
    words = ["eval", "--task", "nli-sample", "--backend", "baseline:uniform", "--store", "s.db"]
    model = ["--backend", "pretend:x", "--strategy", "no-explanation", *PLUGIN]
    if started([*words, *model], folder).wait():
        raise SystemExit("the first evaluation fails")
    connection = sqlite3.connect(folder / "s.db")
    ids = {backend: run for run, backend in connection.execute("SELECT id, backend FROM runs")}
    connection.close()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    known = {
        "RUN": ids["baseline:uniform"],
        "MODEL": ids["pretend:x"],
        "URL": f"http://127.0.0.1:{server.server_port}/x.zip",
    }
    return lambda word: known.get(word, word)


def halves(number: int) -> list[dict[str, str]]:
    """An explanation of every second item: the split that is learned from."""
    return [{"text": "since", "label": "yes"}] if number % 2 else []


def chosen(names: list[str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The commands that were named, or all that can be run here."""
    for name, words in COMMANDS.items():
        if name in (names or COMMANDS):
            yield name, words


def main() -> int:
    """Kill, look, and say what was found."""
    parser = argparse.ArgumentParser()
    parser.add_argument("commands", nargs="*", choices=[[], *COMMANDS])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--archive", help="a dataset's name and the file that its address serves: NAME=PATH")
    given = parser.parse_args()
    draw, wrong = random.Random(given.seed), 0
    dataset, _, archive = (given.archive or "").partition("=")
    os.environ["ARCHIVE"] = archive
    with tempfile.TemporaryDirectory() as name:
        start = Path(name) / "start"
        start.mkdir()
        word = prepared(start)
        for command, words in chosen(given.commands):
            if command == "fetch" and not archive:
                continue
            asked = [dataset if each == "DATASET" else word(each) for each in words]
            done, faults, extra = tried(asked, start, given.kills, draw, command in ONCE)
            wrong += bool(faults or extra)
            print(
                f"{command:10} {done:3} kills, {faults} with a torn file, left in the end: {extra or 'nothing'}",
                flush=True,
            )
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
