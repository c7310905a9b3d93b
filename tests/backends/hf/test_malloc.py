import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from judgeharness.backends.hf.malloc import keep_freed_memory
import torch
torch.set_num_threads(1)
if sys.argv[1] == "keep":
    print(keep_freed_memory(), file=sys.stderr)
def work():
    for _ in range(20):
        a = torch.ones(3_000_000); b = torch.ones(12_000_000); del a, b
work()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
work()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is on Linux")
def test_large_blocks_are_taken_again_without_page_faults():
    faults = {}
    for word in ("keep", "leave"):
        done = subprocess.run([sys.executable, "-c", PROGRAM, word], capture_output=True, text=True, check=True)
        faults[word] = int(done.stdout)
    assert faults["keep"] < faults["leave"] / 10
