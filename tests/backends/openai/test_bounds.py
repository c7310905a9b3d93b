"""Servers that send too much, too slowly or without end: bounded in memory and in time."""

import contextlib
import functools
import gzip
import inspect
import json
import subprocess
import sys
import time
import zlib
from http.server import BaseHTTPRequestHandler

import pytest

from tests import memory
from tests.helpers import serving

CLIENT = """
import asyncio, json, sys, time
from judgeharness.backends.openai.address import Address
from judgeharness.backends.openai.client import Client, Key
from judgeharness.backends.openai.faults import FaultError, RefusedError

async def ask(url):
    client, begun = Client(Address("m", url), Key("sk-some-long-key"), float(sys.argv[1]), 1), time.monotonic()
    try:
        said = str(await client.post("/chat/completions", {}))
    except (FaultError, RefusedError) as error:
        said = str(error)
    await client.close()
    print(json.dumps([said, time.monotonic() - begun]))

before = peak()
for url in sys.argv[2:]:
    asyncio.run(ask(url))
print(peak() - before)
"""
ZEROS = b"0" * (1 << 20)


@functools.cache
def bomb(wbits: int) -> bytes:
    """600 MB in 3."""
    packer = zlib.compressobj(1, zlib.DEFLATED, wbits)
    return b"".join([*(packer.compress(ZEROS) for _ in range(600)), packer.flush()])


BODIES = {
    "gzip": ("gzip", 31, 200),
    "deflate": ("deflate", 15, 200),
    "raw deflate": ("deflate", -15, 200),
    "gzip in gzip": ("gzip, gzip", 31, 200),
    "gzip in an error": ("gzip", 31, 400),
    "gzip in a redirect": ("gzip", 31, 307),
}
"""Bombs: the encoding, zlib's number for it, and the status of the reply."""

OK = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "dripping body": (OK + b"content-length: 1000000\r\n\r\n", b"0"),
    "dripping headers": (OK, b"a: b\r\n"),
    "endless continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}
SMALL = gzip.compress(b'{"fine": true}')
WHOLE = {
    "small gzip": OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(SMALL) + SMALL,
    "many headers": OK + b"".join(b"x%d: y\r\n" % each for each in range(200_000)),
    "a long header": OK + b"x: " + b"y" * 50_000_000,
}


class Hostile(BaseHTTPRequestHandler):
    """Answers as the first part of the path says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        name = self.path.split("/")[1].replace("_", " ")
        self.close_connection = True
        # The client may have gone, which is what it should do.
        with contextlib.suppress(OSError):
            self.answer(name)

    def answer(self, name):
        if name in BODIES:
            encoding, wbits, status = BODIES[name]
            content = gzip.compress(bomb(wbits)) if "," in encoding else bomb(wbits)
            self.head(status, content_encoding=encoding, content_length=str(len(content)), location="/x")
            self.wfile.write(content)
        elif name in DRIPS:
            start, data = DRIPS[name]
            self.wfile.write(start)
            for _ in range(200):
                self.wfile.write(data)
                time.sleep(0.05)
        elif name == "endless chunks":
            self.head(200, transfer_encoding="chunked")
            while True:
                self.wfile.write(b"100000\r\n" + ZEROS + b"\r\n")
        else:
            self.wfile.write(WHOLE[name])

    def head(self, status, **headers):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key.replace("_", "-"), value)
        self.end_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def hostile():
    with serving(Hostile) as address:
        yield address


def ask(address, *names, timeout=20.0):
    """What requests bring, in one process: for each its words and seconds, and what the process grew by, in MB."""
    urls = [f"{address}/{name.replace(' ', '_')}/v1" for name in names]
    command = [sys.executable, "-c", inspect.getsource(memory) + CLIENT, str(timeout), *urls]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert not done.stderr
    *found, megabytes = done.stdout.splitlines()
    return [json.loads(each) for each in found], float(megabytes)


def test_a_reply_is_bounded_once_it_is_decoded(hostile):
    found, growth = ask(hostile, *BODIES, "endless chunks")
    for words, _ in found:
        assert "a reply of more than 33,554,432 bytes" in words
    assert growth < 400


def test_the_timeout_is_for_the_whole_request(hostile):
    found, _ = ask(hostile, *DRIPS, timeout=1.0)
    for words, seconds in found:
        assert words == "no reply in time"
        assert seconds < 10


def test_headers_are_bounded(hostile):
    found, growth = ask(hostile, "many headers", "a long header")
    for words, _ in found:
        assert words.startswith("no connection")
    assert growth < 100


def test_a_reply_that_is_encoded_without_being_asked_for_is_read(hostile):
    ((words, _),), _ = ask(hostile, "small gzip")
    assert words == "{'fine': True}"
