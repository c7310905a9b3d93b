"""Hard labels: MNLI's own file, a parquet file as the hub has it, and the hub's client against a server of its kind."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.parse
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from judgeharness.domain.errors import InputError
from judgeharness.domain.nouns import Label
from judgeharness.finetune.examples import HUB_MNLI, read_examples
from tests.helpers import serving

LABELS = (Label("entailment", "E", ("e",)), Label("neutral", "N"), Label("contradiction", "C"))
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def parquet(path, labels, names=("entailment", "neutral", "contradiction")):
    """As the hub's datasets library writes one: the label a number, its names in the metadata."""
    n = len(labels)
    table = pyarrow.table({
        "promptID": list(range(n)), "premise": [f"p{i}" for i in range(n)], "hypothesis": [f"h{i}" for i in range(n)],
        "label": labels,
    })  # fmt: skip
    if names:
        info = {"info": {"features": {"label": {"names": list(names), "_type": "ClassLabel"}}}}
        table = table.replace_schema_metadata({b"huggingface": json.dumps(info).encode()})
    pyarrow.parquet.write_table(table, path)
    return path


def test_mnlis_own_file(tmp_path):
    path = tmp_path / "m.jsonl"
    lines = [
        {"sentence1": "a", "sentence2": "b", "gold_label": "neutral", "genre": "fiction"},
        {"sentence1": "c", "sentence2": "d", "gold_label": "-"},
        {"sentence1": "e", "sentence2": "f", "gold_label": "e"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))
    assert read_examples(path, LABELS) == ([("a", "b"), ("e", "f")], [1, 0])


def test_numbers_are_named_by_the_file(tmp_path):
    """Another order of labels than the task's, as some datasets have it."""
    path = parquet(tmp_path / "m.parquet", [0, 2, -1, 1], ("contradiction", "entailment", "neutral"))
    assert read_examples(path, LABELS) == ([("p0", "h0"), ("p1", "h1"), ("p3", "h3")], [2, 1, 0])


@pytest.mark.parametrize("names", [None, ("yes", "no", "maybe"), "not a list"])
def test_numbers_without_the_tasks_names_are_refused(tmp_path, names):
    with pytest.raises(InputError, match="one of the labels"):
        read_examples(parquet(tmp_path / "m.parquet", [0, 1], names), LABELS)


def test_files_that_are_no_examples(tmp_path):
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(InputError, match="cannot be read"):
        read_examples(tmp_path / "a.parquet", LABELS)
    (tmp_path / "b.jsonl").write_text('{"text": "a"}')
    with pytest.raises(InputError, match="has neither sentence1"):
        read_examples(tmp_path / "b.jsonl", LABELS)
    (tmp_path / "c.jsonl").write_text('{"premise": "a", "hypothesis": "b", "label": "-"}')
    with pytest.raises(InputError, match="holds no example"):
        read_examples(tmp_path / "c.jsonl", LABELS)


class Hub(BaseHTTPRequestHandler):
    """Serves one file as MNLI's on the hub."""

    content = b""

    def do_GET(self):
        self._answer(body=True)

    def do_HEAD(self):
        self._answer(body=False)

    def _answer(self, body):
        path = urllib.parse.unquote(urllib.parse.urlparse(self.path).path)
        dataset, _, file = HUB_MNLI.rpartition("/data/")
        found = path in (f"/datasets/{dataset}/resolve/{revision}/data/{file}" for revision in ("main", COMMIT))
        self.send_response(200 if found else 404)
        if found:
            self.send_header("ETag", f'"{hashlib.sha256(self.content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
        else:
            self.send_header("X-Error-Code", "RepoNotFound")
        content = self.content if found else b""
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *words):
        pass


def test_mnli_from_the_hub(tmp_path):
    Hub.content = parquet(tmp_path / "m.parquet", [0, 1, 2]).read_bytes()
    code = "import sys; from judgeharness.finetune.examples import examples_file as f; print(f(sys.argv[1]))"
    with serving(Hub) as address:
        environment = {**os.environ, "HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "hf"), "NO_PROXY": "*"}
        done = subprocess.run(
            [sys.executable, "-c", code, "mnli"], env=environment, capture_output=True, text=True, check=False
        )
        missing = subprocess.run(
            [sys.executable, "-c", code, "owner/none/x.parquet"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).read_bytes() == Hub.content
    assert "x.parquet of the dataset owner/none cannot be fetched" in missing.stderr
    offline = subprocess.run(
        [sys.executable, "-c", code, "mnli"], env=environment, capture_output=True, text=True, check=False
    )
    assert offline.stdout == done.stdout, "what was fetched is found again without the hub"
