"""What an evaluation costs by its number of items, where the model costs nothing.

python benchmarks/load.py [--items 1000 10000 100000] [--keep DIR]

A made-up task is asked of a backend that answers at once, so that all that is left is judgeharness: reading items,
making prompts, planning, storing each group, predicting, measuring, the leaderboard. Each number of items is a process
of its own. "ms a further one": of the items that a row has more than the row before.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASK = """
name = "made-up"
title = "Made up"
template = "prompt.jinja"
labels = [{name = "good", text = "Good"}, {name = "fair", text = "Fair"}, {name = "bad", text = "Bad"}]
items = {file = "items.jsonl", uid = "uid", votes = "votes", fields = {text = "text"}}
"""
PROMPT = (
    "{{ text }}\nHow good is this?\n{% for option in options %}{{ option.letter }}. {{ option.text }}\n{% endfor %}"
)
INSTANT = Path(__file__).with_name("instant_backend.py")


def make_task(folder: Path, items: int) -> Path:
    """A task of so many items, each a text of 40 words and the votes of 50 people."""
    draw = random.Random(0)
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(2, 9))) for _ in range(2000)]
    with (folder / "items.jsonl").open("w") as stream:
        for number in range(items):
            good = draw.randrange(51)
            fair = draw.randrange(51 - good)
            record = {
                "uid": f"item-{number:06d}",
                "text": " ".join(draw.choices(words, k=40)),
                "votes": [good, fair, 50 - good - fair],
            }
            stream.write(json.dumps(record) + "\n")
    (folder / "prompt.jinja").write_text(PROMPT)
    path = folder / "task.toml"
    path.write_text(TASK)
    return path


def measured(*words: str) -> tuple[float, float]:
    """Seconds and peak megabytes of a command, run in a process of its own."""
    begun = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        command = [sys.executable, "-m", "judgeharness", *words]
        code = subprocess.run(command, stdout=subprocess.DEVNULL).returncode
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        Path(os.environ["PEAK"]).write_text(f"{code} {peak}")
        os._exit(0)
    os.waitpid(pid, 0)
    seconds = time.perf_counter() - begun
    code, peak = Path(os.environ["PEAK"]).read_text().split()
    if code != "0":
        raise SystemExit(f"judgeharness {' '.join(words)} ended with {code}")
    return seconds, int(peak) / 1024


def main() -> None:
    """Print a row for each number of items."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    print(
        "   items   eval s  ms an item  ms a further one  peak MB  store MB  again s  leaderboard s  peak MB",
        flush=True,
    )
    before: tuple[int, float] | None = None
    for items in given.items:
        with tempfile.TemporaryDirectory() as name:
            folder = given.keep or Path(name)
            folder.mkdir(exist_ok=True)
            os.environ["PEAK"] = str(folder / "peak")
            task, store = make_task(folder, items), folder / "store.db"
            store.unlink(missing_ok=True)
            words = ("eval", "--task", str(task), "--backend", "instant:now", "--strategy", "no-explanation")
            words += ("--plugin", str(INSTANT), "--store", str(store))
            seconds, peak = measured(*words)
            again, _ = measured(*words)
            board, board_peak = measured("leaderboard", "--store", str(store))
            further = "-" if before is None else f"{(seconds - before[1]) / (items - before[0]) * 1000:.2f}"
            before = items, seconds
            print(
                f"{items:>8,} {seconds:>8.1f} {seconds / items * 1000:>11.2f} {further:>17} {peak:>8.0f}"
                f" {store.stat().st_size / 1e6:>9.1f} {again:>8.1f} {board:>14.1f} {board_peak:>8.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
