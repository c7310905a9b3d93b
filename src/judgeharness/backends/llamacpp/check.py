"""Checks in a separate process whether llama.cpp can run a file on this machine.

llama.cpp aborts the whole process on some damaged files, and on processors that report instructions which they do not
support. The result is cached by the file's content, llama.cpp's version and the machine.

    python -m judgeharness.backends.llamacpp.check FILE GPU_LAYERS EXTRA_BUFFERS
"""

from __future__ import annotations

import json
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

from judgeharness.domain.errors import HarnessError, InputError
from judgeharness.domain.files import read_bytes, remember
from judgeharness.domain.hashes import digest
from judgeharness.domain.json_reader import read_json

TRIED_TOKENS = 64
MAX_STAMP_BYTES = 1 << 12


def usable(path: Path, gpu_layers: int, kept: Path, version: str, notify: Callable[[str], None]) -> bool:
    """Return whether the file runs with its weights repacked for this processor (True), or only as they are (False).

    Args:
        path: The GGUF file.
        gpu_layers: How many layers run on the GPU.
        kept: The folder for the cached result.
        version: The version of llama-cpp-python.
        notify: Called with a message for the user.

    Raises:
        HarnessError: If the file runs in neither way.
    """
    machine = digest([version, platform.node(), platform.machine(), _processor(), gpu_layers])[:16]
    stamp = kept / f"llamacpp-{machine}.json"
    known = _read(stamp)
    if known is not None:
        return known
    notify(f"trying {path.name} in a process of its own, once")
    found = _try(path, gpu_layers, extra_buffers=True) or _try(path, gpu_layers, extra_buffers=False)
    if found is None:
        raise HarnessError(
            f"{path}: llama.cpp crashes on this file",
            "it may be damaged; if every GGUF file does this, llama-cpp-python was built for another processor",
        )
    fault = remember(stamp, json.dumps({"extra_buffers": found}))
    if fault is not None:
        notify(f"that it runs is not remembered, and tried again next time: {fault}")
    return found


def _try(path: Path, gpu_layers: int, extra_buffers: bool) -> bool | None:
    """Return `extra_buffers` if that works, or None if the process died.

    Raises HarnessError if llama.cpp reports an error.
    """
    command = [sys.executable, "-m", __name__, str(path), str(gpu_layers), str(int(extra_buffers))]
    # The command holds only fixed words, numbers and a path, which is passed as one argument.
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode == 0:
        return extra_buffers
    if done.returncode < 0 or done.returncode in {128 + signal.SIGSEGV, 128 + signal.SIGABRT, 128 + signal.SIGILL}:
        return None
    reason = (done.stdout.strip() or done.stderr.strip()).splitlines()
    raise HarnessError(reason[-1] if reason else f"{path}: llama.cpp cannot load this file")


def _read(stamp: Path) -> bool | None:
    try:
        found = read_json(read_bytes(stamp, MAX_STAMP_BYTES))["extra_buffers"]
    except (InputError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, bool) else None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith("flags")), platform.processor())


def main(path: str, gpu_layers: str, extra_buffers: str) -> int:
    """Load the file and decode a few tokens. Returns 0 if that works, else prints the reason and returns 1."""
    from judgeharness.backends.llamacpp.decodes import decodes
    from judgeharness.backends.llamacpp.library import LlamaContext, LlamaModel
    from judgeharness.backends.local.prefix_tree import build_tree

    try:
        model = LlamaModel(Path(path), int(gpu_layers), extra_buffers=bool(int(extra_buffers)))
        if not model.is_causal:
            raise HarnessError(f"{path}: {model.description} is not a causal language model")
        context = LlamaContext(model, TRIED_TOKENS, TRIED_TOKENS, 1, 1)
        tokens = [index % model.n_tokens for index in range(TRIED_TOKENS)]
        (step,) = decodes(build_tree([tokens]), TRIED_TOKENS)
        if not np.isfinite(context.decode(step)).all():
            raise HarnessError(f"{path}: its logits are not finite, so the file is damaged or not supported")
    except HarnessError as error:
        print(error.message)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
