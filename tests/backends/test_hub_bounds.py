"""The real hub client against a server that is silent, slow, endless, or says the token."""

import contextlib
import gzip
import inspect
import json
import os
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler

import pytest

from tests import memory
from tests.helpers import serving
from tests.leaks import KEY, echo, leaks

FIND = """
import json, sys, time, traceback
from judgeharness.backends import hub, hub_client
from judgeharness.domain.errors import HarnessError

hub_client.SECONDS = float(sys.argv[1])
before = peak()
for name in sys.argv[2:]:
    begun = time.monotonic()
    try:
        said = str(hub.find_model(f"owner/{name}", None))
    except HarnessError as error:
        said = "\\n".join(error.lines())
        traceback.print_exc()
    print(json.dumps([said, time.monotonic() - begun, peak() - before]))
"""


class Hub(BaseHTTPRequestHandler):
    """Answers as the name of the model says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        name = self.path.partition("?")[0].rpartition("/")[2]
        self.close_connection = True
        # The client may have gone, which is what it should do.
        with contextlib.suppress(OSError):
            self.answer(name)

    def answer(self, name):
        ok = b"HTTP/1.1 200 OK\r\n"
        if name == "silent":
            time.sleep(4)
        elif name in ("drip", "headers"):
            self.wfile.write(ok + (b"content-length: 100000\r\n\r\n" if name == "drip" else b""))
            for _ in range(80):
                self.wfile.write(b"a: b\r\n")
                time.sleep(0.05)
        elif name in ("bomb", "moved"):
            content = gzip.compress(b"0" * (600 << 20), 1)
            status = b"HTTP/1.1 302 Found\r\nlocation: /api/models/owner/gone\r\n" if name == "moved" else ok
            self.wfile.write(status + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(content) + content)
        elif name in ("401", "404", "500"):
            content = json.dumps({"error": echo()}).encode()
            self.send_response(int(name), KEY)
            self.send_header("x-error-message", KEY)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
        else:
            self.wfile.write(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n")

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def endpoint():
    with serving(Hub) as address:
        yield address


def find(endpoint, home, *names, token=KEY, seconds=20.0):
    """What finding models brings: their words, seconds, and what the process had grown by; and its traces."""
    environment = os.environ | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_TOKEN": token}
    done = subprocess.run(
        [sys.executable, "-c", inspect.getsource(memory) + FIND, str(seconds), *names],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_nothing_waits_for_ever(endpoint, tmp_path):
    found, _ = find(endpoint, tmp_path, "silent", "headers", "drip", seconds=1.0)
    assert len(found) == 3
    for words, seconds, _ in found:
        assert "the hub cannot be reached" in words
        assert seconds < 10


def test_replies_are_bounded_once_they_are_decoded(endpoint, tmp_path):
    found, _ = find(endpoint, tmp_path, "bomb", "moved")
    assert "a reply of more than 33,554,432 bytes" in found[0][0]
    assert "404 Not Found" in found[1][0]
    assert found[-1][2] < 400


def test_no_error_or_trace_has_the_token(endpoint, tmp_path):
    found, traces = find(endpoint, tmp_path, "401", "404", "500")
    assert len(found) == 3
    assert "Traceback" in traces
    assert not leaks((json.dumps(found) + traces).encode())


def test_a_token_that_cannot_be_sent_is_not_shown(endpoint, tmp_path):
    found, traces = find(endpoint, tmp_path, "404", token="hf_first half-second")
    assert "the token for the hub cannot be sent: it has a line break or a space inside" in found[0][0]
    assert "first" not in json.dumps(found) + traces
