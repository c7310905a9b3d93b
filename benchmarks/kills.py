"""An evaluation that is killed (SIGKILL) at random moments, again and again, and what is left in the end.

python benchmarks/kills.py [--kills 50] [--task chaosnli] [--strategy no-explanation] [--backend hf:smollm2] [--seed 0]

The same command is started over and over, and killed after a random while, until it was killed often enough; then it
may end. After each kill the store is checked. An executor writes down every group that is asked for: none may be asked
whose answer was committed before. In the end all is compared with an evaluation that nobody disturbed. Exit code 1
where anything differs.
Needs the task's data, as JUDGEHARNESS_DATA_DIR has them.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from judgeharness.store.check import problems

AUDIT = """
import os
from judgeharness.evaluation.executors.local import Local
from judgeharness.plugins.hookspecs import hookimpl
from judgeharness.plugins.specs import ExecutorSpec

@hookimpl
def judgeharness_executors():
    return [ExecutorSpec(name="audited", summary="writes down what is asked for", target="audit:Audited")]

class Audited(Local):
    def run(self, model, groups, answering):
        return super().run(model, self.noted(groups), answering)

    def noted(self, groups):
        with open(os.environ["AUDIT_LOG"], "a") as log:
            for group in groups:
                print(group.uid, file=log, flush=True)
                yield group
"""


def scores(store: Path) -> dict[str, np.ndarray[Any, Any]]:
    """All stored scores by uid."""
    with contextlib.closing(sqlite3.connect(store)) as connection:
        rows = connection.execute("SELECT uid, scores FROM scores").fetchall()
    return {uid: np.array(json.loads(text)) for uid, text in rows}


def figures(store: Path) -> dict[str, dict[str, float]]:
    """The measures of each run."""
    command = [sys.executable, "-m", "judgeharness", "leaderboard", "--store", str(store), "--format", "json"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {run["id"]: run["metrics"] for run in json.loads(out)["runs"]}


def main() -> int:
    """Kill, compare, and say what was found."""
    parser = argparse.ArgumentParser()
    for name, default in (("task", "chaosnli"), ("strategy", "no-explanation"), ("backend", "hf:smollm2")):
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=10.0, help="seconds that a process may live at most")
    parser.add_argument("--limit", type=int, default=1_000_000)
    given = parser.parse_args()
    draw = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "audit.py").write_text(AUDIT)
        log = folder / "asked"
        words = [sys.executable, "-m", "judgeharness", "eval", "--task", given.task, "--backend", given.backend]
        words += ["--strategy", given.strategy, "--limit", str(given.limit), "--plugin", str(folder / "audit.py")]
        words += ["--executor", "audited", "--store"]
        store, whole = folder / "killed.db", folder / "whole.db"
        quiet = {
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "env": {**os.environ, "AUDIT_LOG": str(log)},
        }

        asked_again, damaged, kills, sessions, asked = 0, 0, 0, 0, 0
        answered: list[int] = []
        ended = False
        while not ended:
            committed = set(scores(store)) if kills and store.exists() else set()
            log.write_text("")
            process = subprocess.Popen([*words, str(store)], **quiet)
            sessions += 1
            if kills < given.kills:
                time.sleep(draw.uniform(0, given.longest))
                ended = process.poll() is not None
                process.send_signal(signal.SIGKILL)
                kills += not ended
            process.wait()
            ended = ended or (kills == given.kills and process.returncode in (0, 1))
            now = log.read_text().split()
            asked += len(now)
            asked_again += len(committed.intersection(now))
            if store.exists() and store.stat().st_size:
                damaged += bool(problems(store))
                with contextlib.suppress(sqlite3.OperationalError):
                    answered.append(len(scores(store)))
        if kills < given.kills:
            print(f"the evaluation ended after {kills} kills: name a longer one, or a shorter --longest")
        subprocess.run([*words, str(whole)], check=False, **quiet)
        one, other = scores(store), scores(whole)
        largest = max(float(np.abs(one[uid] - other[uid]).max()) for uid in other) if set(one) == set(other) else None
        left, right = figures(store), figures(whole)
        apart = max(abs(left[run][name] - right[run][name]) for run in right for name in right[run])
        print(f"{kills} kills in {sessions} sessions; items with an answer after each: {answered}")
        print(f"groups asked for: {asked:,}, for {len(other):,} items; after their answer was committed: {asked_again}")
        print(f"stores that were damaged after a kill: {damaged}")
        print(f"largest difference of a score from the undisturbed evaluation: {largest}; of a figure: {apart:.2g}")
        same = largest is not None and largest < 1e-3 and apart < 1e-3 and set(left) == set(right)
        return int(asked_again or damaged or not same)


if __name__ == "__main__":
    sys.exit(main())
