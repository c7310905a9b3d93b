import subprocess
import sys
import time


def _seconds(command):
    begun = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def test_help_takes_less_than_twice_the_import_of_its_libraries():
    ours, bare = [], []
    for _ in range(20):
        ours.append(_seconds([sys.executable, "-c", "from judgeharness.cli.program import run; run(['--help'])"]))
        bare.append(_seconds([sys.executable, "-c", "import click, pluggy, rich"]))
    assert min(ours) < 2 * min(bare)
