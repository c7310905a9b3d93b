"""Commands that ask a server, killed (SIGKILL) at random moments: what was asked twice, and what was counted.

PYTHONPATH=. python benchmarks/kills_requests.py [--kills 20] [--seed 0] [--concurrency 4]

The same command is started over and over, and killed after a random number of replies, until it was killed often
enough; then it may end. Everything that the server was asked is compared with the counters in the store. Exit code 1
if a reply that had arrived was paid for twice, a request is not in the counters, or anything is left behind.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.backends.openai.standin import StandIn
from tests.helpers import serving

COMMANDS = {
    "eval, serial": ["eval", "--strategy", "serial", "--limit", "8"],
    "eval, verbalized": ["eval", "--strategy", "verbalized"],
    "explain": ["explain", "--limit", "12"],
}
SHORTEST_PROMPT = 200


def judged(state: StandIn) -> Counter[str]:
    """How often each prompt of the task was answered: those of the probe are short."""
    texts = (f"{body.get('messages', body.get('prompt'))} {body.get('seed')}" for body in state.seen)
    return Counter(text for text in texts if len(text) > SHORTEST_PROMPT)


def killed(words: list[str], state: StandIn, kills: int, draw: random.Random) -> tuple[int, int, int]:
    """Sessions, kills, and the exit code of the last one."""
    for done in range(kills):
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        goal = state.requests + draw.randrange(1, 20)
        while state.requests < goal and process.poll() is None:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        if process.wait() != -signal.SIGKILL:
            return done + 1, done, process.returncode
    return kills + 1, kills, subprocess.run(words, stdout=subprocess.DEVNULL, check=False).returncode


def tried(name: str, command: list[str], kills: int, concurrency: int, draw: random.Random) -> bool:
    """Kill one command, and print what was found; whether anything is wrong."""
    state = StandIn("vLLM", delay=0.01)
    with tempfile.TemporaryDirectory() as folder, serving(state.handler()) as url:
        store = Path(folder) / "s.db"
        words = [sys.executable, "-m", "judgeharness", *command, "--task", "nli-sample"]
        words += ["--backend", f"openai:m@{url}/v1", "-o", f"concurrency={concurrency}", "--store", str(store)]
        sessions, done, code = killed(words, state, kills, draw)
        with contextlib.closing(sqlite3.connect(store)) as connection:
            (counted,) = connection.execute("SELECT sum(requests) FROM spending").fetchone()
            tables = ("replies", "leases")
            rest = [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]
        left = sorted(path.name for path in Path(folder).iterdir())
    asked = judged(state)
    twice = sum(asked.values()) - len(asked)
    print(f"{name}: {done} kills in {sessions} sessions, exit code {code}; {len(asked)} prompts, {twice} asked twice")
    print(f"  requests that the server saw: {state.requests}, counted: {counted}; left: {left}, rows {rest}")
    # The stand-in writes nothing that a strategy could read: items that fail are no fault here.
    sound = code in (0, 1) and twice <= done * concurrency and counted >= state.requests
    return not sound or left != ["s.db"] or any(rest)


def main() -> int:
    """Kill, count, and say what was found."""
    parser = argparse.ArgumentParser()
    for name, default in (("kills", 20), ("seed", 0), ("concurrency", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    draw, wrong = random.Random(given.seed), False
    for name, command in COMMANDS.items():
        wrong |= tried(name, command, given.kills, given.concurrency, draw)
    return int(wrong)


if __name__ == "__main__":
    sys.exit(main())
