"""A cache that cannot be written costs a note, and an error before anything is done only where nothing goes without."""

import json
import os

import pytest

from judgeharness.backends.contract import BackendContext
from judgeharness.backends.hf.device import Placement
from judgeharness.backends.hf.gguf import gguf_tokenizer, gguf_weights
from judgeharness.backends.llamacpp import check
from judgeharness.backends.openai.backend import openai_backend
from judgeharness.backends.openai.options import OpenAIOptions
from judgeharness.backends.source import cache_name, find_source
from judgeharness.domain.errors import HarnessError
from judgeharness.tasks.datasets import NO_HOME, DataFolders, cache_folder, known_datasets
from judgeharness.tasks.fetch import fetch
from tests.backends.openai.standin import StandIn
from tests.helpers import judgeharness, no_meter, serving
from tests.worlds import READ_ONLY, in_world, program, require_worlds

UNUSABLE = ("file", "link-to-nowhere", "/dev/full/cache")


@pytest.fixture(params=UNUSABLE)
def unusable(request, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "link-to-nowhere").symlink_to("absent/folder")
    return tmp_path / request.param / "judgeharness"


def test_a_server_is_asked_though_nothing_can_be_kept_of_it(unusable):
    notes = []
    with serving(StandIn("vLLM").handler()) as url:
        backend = openai_backend("m", OpenAIOptions(base_url=f"{url}/v1"), BackendContext(unusable, notes.append))
        assert backend.describe()["server"] == "vLLM"
    (note,) = [note for note in notes if "remembered" in note]
    assert note.startswith("what the server can do is not remembered, and probed again next time: ")


def test_what_was_kept_of_a_server_is_read_only_from_a_file(tmp_path):
    with serving(StandIn("vLLM").handler()) as url:
        context = BackendContext(tmp_path, lambda line: None)
        openai_backend("m", OpenAIOptions(base_url=f"{url}/v1"), context).describe()
        (kept,) = (tmp_path / "servers").iterdir()
        kept.unlink()
        os.mkfifo(kept)
        notes = []
        context = BackendContext(tmp_path, notes.append)
        assert openai_backend("m", OpenAIOptions(base_url=f"{url}/v1"), context).describe()["server"] == "vLLM"
    assert "is a pipe, not a file" in notes[-1]


def test_a_file_runs_though_that_cannot_be_kept(unusable, monkeypatch):
    monkeypatch.setattr(check, "_try", lambda path, gpu_layers, extra_buffers: extra_buffers)
    notes = []
    path = find_source("smollm2", "llamacpp").path
    assert check.usable(path, 0, unusable, "1", notes.append)
    assert notes[-1].startswith("that it runs is not remembered, and tried again next time: ")


def test_converting_needs_a_cache_and_says_so_first(unusable, monkeypatch):
    path = find_source("smollm2", "hf").path
    monkeypatch.setattr("transformers.AutoTokenizer.from_pretrained", lambda *given, **named: 1 / 0)
    monkeypatch.setattr("transformers.AutoModelForCausalLM.from_pretrained", lambda *given, **named: 1 / 0)
    for convert in (
        lambda: gguf_tokenizer(path, unusable),
        lambda: gguf_weights(path, unusable, Placement("cpu", "float32"), print),
    ):
        with pytest.raises(HarnessError) as caught:
            convert()
        assert caught.value.message.startswith("a GGUF file is converted for transformers: ")
        assert caught.value.hint.startswith("set XDG_CACHE_HOME to a folder that can be written to")


def test_fetching_needs_a_cache_and_says_so_first(unusable):
    with pytest.raises(HarnessError) as caught:
        fetch(next(iter(known_datasets().values())), DataFolders(None, unusable), no_meter, "http://127.0.0.1:9/x")
    assert caught.value.hint == "set XDG_CACHE_HOME to a folder that can be written to"


def test_a_user_without_a_home(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert cache_folder().parent == NO_HOME


def test_names_of_models_may_be_long():
    assert len(os.fsencode(cache_name("ü" * 125 + ".gguf", "0" * 64))) < 255
    assert cache_name("model.gguf", "0" * 64) == "model.gguf-0000000000000000"


def test_a_read_only_cache_costs_no_result(tmp_path):
    require_worlds(tmp_path)
    cache = tmp_path / "cache"
    cache.mkdir()
    words = ("eval", "--task", "nli-sample", "--limit", "2", "--backend", "llamacpp:smollm2", "--format", "json")
    command = program(*words, "--strategy", "no-explanation", "--store", tmp_path / "s.db")
    done = in_world(READ_ONLY, cache, command, env={**os.environ, "XDG_CACHE_HOME": str(cache)})
    assert done.returncode == 0, done.stderr
    assert f"tried again next time: {cache}: cannot be written to: the folder is read-only" in done.stderr
    assert len(json.loads(done.stdout)["runs"]) == 2
    assert judgeharness("leaderboard", "--store", tmp_path / "s.db").code == 0
