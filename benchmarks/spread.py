"""Two Ray workers beside two local shards: the same evaluation, the same cores.

python benchmarks/spread.py [--task chaosnli] [--strategy no-explanation] [--backend hf:smollm2] [--rounds 2]

Shards: two processes with half of the cores each, a store each, then merge and the whole evaluation from the merged
store. Ray: one process, two workers with half of the cores each. Times are whole: starting, loading, answering,
measuring. Needs judgeharness-ray, and the task's data.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def judgeharness(*words: str, threads: int | None = None) -> subprocess.Popen[str]:
    """The program in a process of its own, with so many threads."""
    env = {**os.environ, **({} if threads is None else {"OMP_NUM_THREADS": str(threads)})}
    command = [sys.executable, "-m", "judgeharness", *words]
    return subprocess.Popen(command, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def runs(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """The runs in the document that an evaluation prints."""
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"an evaluation ended with {process.returncode}")
    found: list[dict[str, Any]] = json.loads(out)["runs"]
    return found


def by_shards(words: list[str], folder: Path, threads: int) -> list[dict[str, Any]]:
    """Two shards at the same time, and their merge."""
    parts = [folder / f"{number}.db" for number in (1, 2)]
    started = [
        judgeharness(*words, "--shard", f"{number}/2", "--store", str(path), threads=threads)
        for number, path in enumerate(parts, start=1)
    ]
    for process in started:
        runs(process)
    merging = judgeharness("merge", *map(str, parts), "--store", str(folder / "all.db"))
    merging.communicate()
    return runs(judgeharness(*words, "--store", str(folder / "all.db")))


def by_ray(words: list[str], folder: Path, threads: int) -> list[dict[str, Any]]:
    """Two workers."""
    spread = ["--executor", "ray", "-o", "ray_workers=2", "-o", f"ray_cpus={threads}"]
    return runs(judgeharness(*words, *spread, "--store", str(folder / "ray.db")))


def main() -> None:
    """Print a row a round, and by how much the figures differ."""
    parser = argparse.ArgumentParser()
    for name, default in (("task", "chaosnli"), ("strategy", "no-explanation"), ("backend", "hf:smollm2")):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    words = ["eval", "--task", given.task, "--strategy", given.strategy, "--backend", given.backend, "--format", "json"]
    threads = max(1, (os.cpu_count() or 2) // 2)
    for number in range(given.rounds):
        found, seconds = {}, {}
        for name, way in (("shards", by_shards), ("ray", by_ray)):
            with tempfile.TemporaryDirectory() as folder:
                begun = time.perf_counter()
                found[name] = way(words, Path(folder), threads)
                seconds[name] = time.perf_counter() - begun
        apart = max(
            abs(left["metrics"][name] - right["metrics"][name])
            for left, right in zip(found["shards"], found["ray"], strict=True)
            for name in left["metrics"]
        )
        print(
            f"round {number + 1}: shards {seconds['shards']:.1f} s, ray {seconds['ray']:.1f} s, ratio "
            f"{seconds['ray'] / seconds['shards']:.3f}; largest difference of a figure {apart:.2g}",
            flush=True,
        )


if __name__ == "__main__":
    main()
