"""How long `judgeharness --help` takes beside the bare import of the libraries that it stands on.

python benchmarks/startup.py
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable

PAIRS = 30
OURS = [sys.executable, "-c", "from judgeharness.cli.program import run; run(['--help'])"]
BARE = [sys.executable, "-c", "import click, pluggy, rich"]


def seconds(command: list[str]) -> float:
    """The wall time of a process."""
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603, the commands above
    return time.perf_counter() - begun


def _median(values: Iterable[float]) -> float:
    # The module statistics of the standard library has the name of a benchmark here.
    found = sorted(values)
    return (found[(len(found) - 1) // 2] + found[len(found) // 2]) / 2


def main() -> None:
    """Time both in turns and print the medians and their ratio."""
    pairs = [(seconds(OURS), seconds(BARE)) for _ in range(PAIRS)]
    ratios = sorted(ours / bare for ours, bare in pairs)
    print(f"judgeharness --help         {_median(ours for ours, _ in pairs) * 1e3:6.1f} ms")
    print(f"import click, pluggy, rich  {_median(bare for _, bare in pairs) * 1e3:6.1f} ms")
    print(f"ratio                       {_median(ratios):6.2f}  ({ratios[3]:.2f} to {ratios[-4]:.2f})")


if __name__ == "__main__":
    main()
