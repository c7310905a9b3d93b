"""Against a real HTTP server on this machine that also serves what servers should not."""

from __future__ import annotations

import contextlib
import functools
import gzip
import hashlib
import io
import time
import zipfile
from http.server import BaseHTTPRequestHandler

import pytest

from judgeharness.domain.errors import HarnessError
from judgeharness.tasks import fetch as module
from judgeharness.tasks.datasets import DataFile, DataFolders, Dataset
from judgeharness.tasks.fetch import ensure, fetch
from tests.helpers import judgeharness, no_meter, serving

CONTENT = b'{"uid": "1"}\n' * 5000
SHA = hashlib.sha256(CONTENT).hexdigest()


@functools.cache
def bomb() -> bytes:
    return gzip.compress(b"0" * (60 << 20), 1)


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            zipped.writestr(name.replace("__", "/") + ".jsonl", content)
        zipped.writestr("../../evil.txt", b"outside")
    return buffer.getvalue()


class Handler(BaseHTTPRequestHandler):
    """The path says what goes wrong: /ok, /flaky (fails twice, then serves), /404, ..."""

    requests: dict[str, int] = {}  # noqa: RUF012

    def do_GET(self):
        word = self.path.strip("/")
        self.requests[word] = self.requests.get(word, 0) + 1
        body = archive(folder__data=CONTENT) if word == "zip" else CONTENT
        if word == "404":
            self.send_error(404)
        elif word == "503" or (word == "flaky" and self.requests[word] <= 2):
            self.send_error(503)
        elif word == "cut" or (word == "cut-once" and self.requests[word] == 1):
            self._send(body, length=len(body) + 1000)
            self.wfile.flush()
            self.connection.close()
        elif word in ("stall", "drip", "drip-headers"):
            self._send(body[:100] if word == "stall" else b"", length=len(body), ended=word != "drip-headers")
            self._drip(b"" if word == "stall" else b"a: b\r\n")
        elif word in ("bomb", "moved-bomb"):
            self._send(bomb(), len(bomb()), 302 if word == "moved-bomb" else 200, {"Content-Encoding": "gzip"})
        elif word in ("moved", "bad-length"):
            self._send(b"", "many" if word == "bad-length" else 0, 302 if word == "moved" else 200)
        else:
            body = {"wrong": body[:-1] + b"x", "html": b"<html>", "huge": body * 9, "no-member": archive(other=CONTENT),
                    "bad-member": archive(folder__data=CONTENT[:-1] + b"x"), "short-member": archive(folder__data=b"x")
                    }.get(word, body)  # fmt: skip
            self._send(body, length=len(body))

    def _drip(self, data: bytes) -> None:
        with contextlib.suppress(OSError):
            for _ in range(30):
                self.wfile.write(data)
                time.sleep(0.05)

    def _send(self, body: bytes, length, status=200, headers=(), ended=True) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(length), "Location": "/ok", **dict(headers)}.items():
            self.send_header(name, value)
        if ended:
            self.end_headers()
            self.wfile.write(body)
        else:
            self.flush_headers()

    def log_message(self, *arguments):
        pass


@pytest.fixture
def address():
    Handler.requests = {}
    with serving(Handler) as where:
        yield where


@pytest.fixture
def places(tmp_path):
    return DataFolders(None, tmp_path / "cache")


def dataset(url, folder=None):
    return Dataset(
        name="set", title="A set", url=url, archive_folder=folder, max_download=len(CONTENT) * 3, licence="none",
        homepage="", citation="", files=(DataFile(name="data.jsonl", bytes=len(CONTENT), sha256=SHA),),
    )  # fmt: skip


@pytest.mark.parametrize("word", ["ok", "moved", "moved-bomb", "flaky", "cut-once"])
def test_a_file_is_fetched_whole(address, places, word):
    (path,) = fetch(dataset(f"{address}/{word}"), places, no_meter)
    assert path == places.cache / "set" / "data.jsonl"
    assert path.read_bytes() == CONTENT
    assert [each.name for each in path.parent.iterdir()] == ["data.jsonl"]


def test_an_archive_gives_its_member_and_nothing_else(address, places):
    (path,) = fetch(dataset(f"{address}/zip", "folder"), places, no_meter)
    assert path.read_bytes() == CONTENT
    assert not list(places.cache.rglob("evil*"))
    assert not list(places.cache.parent.glob("evil*"))


FAULTS = {
    "wrong": (None, "is not the published file: sha256 is"),
    "404": (None, "answered 404"),
    "503": (None, "answered 503"),
    "cut": (None, "incomplete"),
    "stall": (None, "stopped answering"),
    "drip": (None, "stopped answering"),
    "drip-headers": (None, "stopped answering"),
    "bad-length": (None, "invalid literal|incomplete"),
    "bomb": (None, "larger than"),
    "huge": (None, "larger than"),
    "html": ("folder", "not a sound zip"),
    "no-member": ("folder", "has no folder/data.jsonl"),
    "bad-member": ("folder", "is not the published file"),
    "short-member": ("folder", "wrong size"),
}


@pytest.mark.parametrize("word", FAULTS)
def test_a_fault_leaves_nothing_behind(address, places, word):
    folder, message = FAULTS[word]
    with pytest.raises(HarnessError, match=message):
        fetch(dataset(f"{address}/{word}", folder), places, no_meter, timeout=0.4)
    assert list((places.cache / "set").iterdir()) == []


def test_a_fault_leaves_what_was_there(address, places):
    fetch(dataset(f"{address}/ok"), places, no_meter)
    with pytest.raises(HarnessError):
        fetch(dataset(f"{address}/wrong"), places, no_meter)
    assert (places.cache / "set" / "data.jsonl").read_bytes() == CONTENT


def test_only_faults_of_the_server_are_tried_again(address, places):
    for word in ("404", "503", "cut"):
        with pytest.raises(HarnessError):
            fetch(dataset(f"{address}/{word}"), places, no_meter)
    assert Handler.requests == {"404": 1, "503": module.RETRIES + 1, "cut": module.RETRIES + 1}


def test_no_connection_says_what_to_do(places):
    wanted = dataset("http://127.0.0.1:9/none")
    with pytest.raises(HarnessError) as caught:
        ensure(wanted, wanted.files[0], places, no_meter)
    first, second = caught.value.lines()
    assert "data.jsonl of A set is not at hand" in first
    assert "no connection" in first
    assert "judgeharness data fetch set" in second
    assert "JUDGEHARNESS_DATA_DIR" in second


def test_progress_reaches_the_end(address, places):
    seen = []

    @contextlib.contextmanager
    def meters(what):
        assert what == "fetching A set"
        yield lambda done, total: seen.append((done, total))

    fetch(dataset(f"{address}/ok"), places, meters)
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) > 3


def test_what_is_in_the_users_folder_comes_first_and_is_verified(address, places, tmp_path):
    own = tmp_path / "own" / "set"
    own.mkdir(parents=True)
    (own / "data.jsonl").write_bytes(CONTENT)
    wanted = dataset(f"{address}/404")
    both = DataFolders(tmp_path / "own", places.cache)
    assert ensure(wanted, wanted.files[0], both, no_meter) == own / "data.jsonl"
    (own / "data.jsonl").write_bytes(b"changed")
    with pytest.raises(HarnessError, match="has 7 bytes, not 65,000 as published"):
        ensure(wanted, wanted.files[0], both, no_meter)


def test_the_command_fetches_verifies_and_lists(address, data_dir, tmp_path):
    """The real archive's files under the real dataset, from a mirror."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name in ("mnli_m", "snli", "alphanli"):
            file = f"chaosNLI_{name}.jsonl"
            zipped.write(data_dir / "chaosnli" / file, f"chaosNLI_v1.0/{file}")

    class Mirror(Handler):
        def do_GET(self):
            self._send(buffer.getvalue(), length=len(buffer.getvalue()))

    with serving(Mirror) as where:
        result = judgeharness("data", "fetch", "chaosnli", "--url", f"{where}/chaosNLI_v1.0.zip")
    assert result.code == 0, result.err
    assert len(result.out.splitlines()) == 3
    assert "CC BY-NC 4.0" in result.err
    verified = judgeharness("data", "verify")
    assert verified.code == 0
    assert verified.out.count("ok ") == 3
    assert "missing  varierr/varierr.json" in verified.out
    assert judgeharness("data", "export", "chaosnli-snli", "--limit", "2").out.count("\n") == 2


def test_a_changed_file_fails_verification(data_dir, tmp_path):
    folder = tmp_path / "data" / "varierr"
    folder.mkdir(parents=True)
    (folder / "varierr.json").write_bytes((data_dir / "varierr" / "varierr.json").read_bytes() + b"\n")
    result = judgeharness("data", "verify", "varierr", "--data-dir", tmp_path / "data")
    assert result.code == 1
    assert "WRONG" in result.out


def test_unknown_datasets_and_a_url_for_many_are_wrong_usage():
    assert judgeharness("data", "fetch", "chaosnly").code == 2
    assert judgeharness("data", "fetch", "--url", "http://127.0.0.1:9/x").code == 2
